/** Files that were written for the real programs run here as they do there: what the tools print of them and what the daemon says. */
import { describe, expect, it } from "vitest";
import { importedLab } from "../../src/main/lab/file/import.ts";
import { parseLabFile, printLabFile, readLabFile } from "../../src/main/lab/file/labfile.ts";
import { runScenario } from "../../src/main/lab/scenario/scenario.ts";
import { reported, reportedPath } from "../shared.ts";

/** Steps that did not hold, and what came instead. */
async function failures(text: string, path: string): Promise<unknown[]> {
  const { result } = await runScenario(parseLabFile(text, path), path);
  expect(result.steps.length).toBeGreaterThan(0);
  return result.steps.filter((s) => !s.passed);
}

const REPORTS = ["f04-ipv6-tools.yaml", "f05-names-by-resolver.yaml", "f06-knet_mtu.yaml", "f07-log-file.yaml", "f13-paths.yaml"];

describe("reported scenarios", () => {
  if (reported(REPORTS[0] ?? "") === undefined) console.log("outside files: skipped, the reports are not beside this checkout");
  it.each(REPORTS)("%s", async (file) => {
    if (reported(file) === undefined) return;
    const { result } = await runScenario(readLabFile(reportedPath(file)), file);
    expect(result.steps.length).toBeGreaterThan(0);
    expect(result.steps.filter((s) => !s.passed)).toEqual([]);
  });
});

/** An imported file as a scenario with these lines of pve1's shell and their output. */
function imported(conf: string, steps: readonly (readonly [string, string])[]): string {
  const lab = printLabFile(importedLab(conf, "imported.conf"));
  return `${lab}seed: 1\nsteps:\n${steps.map(([line, stdout]) => `  - exec: ${JSON.stringify({ node: "pve1", run: line, stdout })}\n`).join("")}`;
}

const FORMED = ["corosync-quorumtool -s | grep -E '^(Nodes|Quorate)'", "Nodes:            2\nQuorate:          Yes\n"] as const;

interface Lab {
  readonly networks?: string;
  readonly nodes?: string;
  readonly nodelist?: string;
  readonly totem?: string;
  readonly logging?: string;
  readonly files?: string;
}

const TWO_LINKS = `node {
    name: pve1
    nodeid: 1
    ring0_addr: 10.0.0.11
    ring1_addr: 10.10.1.11
  }
  node {
    name: pve2
    nodeid: 2
    ring0_addr: 10.0.0.12
    ring1_addr: 10.10.1.12
  }`;

/** A scenario with two nodes and two links; steps: a line of pve1's shell, and its output. */
function scenario(lab: Lab, steps: readonly (readonly [string, string] | string)[]): string {
  const conf = `totem {
  version: 2
  cluster_name: lab
  secauth: on
  ${lab.totem ?? ""}
}
nodelist {
  ${lab.nodelist ?? TWO_LINKS}
}
quorum {
  provider: corosync_votequorum
}
logging {
  ${lab.logging ?? "debug: off"}
}
`;
  return JSON.stringify({
    quorate: 1,
    name: "outside",
    seed: 1,
    epoch: "2026-01-01T00:00:00Z",
    networks: { net0: "10.0.0.0/24", net1: "10.10.1.0/24" },
    nodes: { pve1: { net0: "10.0.0.11", net1: "10.10.1.11" }, pve2: { net0: "10.0.0.12", net1: "10.10.1.12" } },
    cluster: { conf },
    ...(lab.networks === undefined ? {} : (JSON.parse(lab.networks) as object)),
    steps: steps.map((step) => (typeof step === "string" ? { do: step } : { exec: { node: "pve1", run: step[0], stdout: step[1] } })),
  });
}

const run = async (lab: Lab, steps: readonly (readonly [string, string] | string)[]): Promise<unknown[]> =>
  failures(scenario(lab, steps), "outside.yaml");

const saidBy = (what: string): string => `journalctl -u corosync -o cat --no-pager | grep -E '${what}'`;

describe("addresses of both families", () => {
  const MIXED = TWO_LINKS.replace("10.10.1.11", "2001:db8::11").replace("10.10.1.12", "2001:db8::12");
  const NETWORKS = JSON.stringify({
    networks: { net0: "10.0.0.0/24", net1: "2001:db8::/64" },
    nodes: { pve1: { net0: "10.0.0.11", net1: "2001:db8::11" }, pve2: { net0: "10.0.0.12", net1: "2001:db8::12" } },
  });

  it("stand beside each other, each as the tool that prints it has it", async () => {
    expect(
      await run({ nodelist: MIXED, networks: NETWORKS }, [
        ["corosync-cfgtool -s | grep addr", "\taddr\t= 10.0.0.11\n\taddr\t= 2001:db8::11%2\n"],
        [
          "corosync-cfgtool -n | grep LINK",
          "   LINK: 0 udp (10.0.0.11->10.0.0.12) enabled connected mtu: 1397\n" +
            "   LINK: 1 udp (2001:db8::11%2->2001:db8::12%2) enabled connected mtu: 1365\n",
        ],
        // The library has one family for all addresses of a node.
        ["corosync-cfgtool -a 2", "10.0.0.12 32.1.13.184\n"],
        ["corosync-quorumtool -lai | tail -n 1", "         2          1 10.0.0.12, 32.1.13.184\n"],
        ["corosync-cmapctl -g runtime.members.2.ip", "runtime.members.2.ip (str) = r(0) ip(10.0.0.12) r(1) ip(2001:db8::12) \n"],
        [
          saidBy("PMTUD link change"),
          "  [KNET  ] pmtud: PMTUD link change for host: 2 link: 0 from 469 to 1397\n  [KNET  ] pmtud: PMTUD link change for host: 2 link: 1 from 1157 to 1365\n",
        ],
      ]),
    ).toEqual([]);
  });
});

describe("names by the resolver", () => {
  const NAMELESS = TWO_LINKS.replaceAll(/ {4}(?:name|ring1_addr).*\n/g, "").replaceAll(/\n *ring1_addr.*/g, "");

  it("are the first of the line that /etc/hosts has for the address, and nothing where it has none", async () => {
    expect(
      await run({ nodelist: NAMELESS }, [
        ["corosync-quorumtool -l | tail -n 2", "         1          1 pve1.lab.local (local)\n         2          1 pve2.lab.local\n"],
        ["sed -i -e 's/^10.0.0.12.*//' -e 's/^10.0.0.11/10.0.0.11 Other/' /etc/hosts", ""],
        ["echo '::ffff:10.0.0.12 mapped # not this' >> /etc/hosts", ""],
        ["corosync-quorumtool -l | tail -n 2", "         1          1 Other (local)\n         2          1 mapped\n"],
        ["sed -i '$ d' /etc/hosts", ""],
        ["corosync-quorumtool -l | tail -n 2", "         1          1 Other (local)\n         2          1 \n"],
        ["corosync-quorumtool -li | tail -n 2", "         1          1 10.0.0.11 (local)\n         2          1 10.0.0.12\n"],
      ]),
    ).toEqual([]);
  });

  it("are the same for getent and hostname", async () => {
    expect(
      await run({}, [
        ["printf '10.0.0.99 Canonical.example dual\\n2001:db8::99 dual\\n300.0.0.1 bad\\n10.9 short\\n' >> /etc/hosts", ""],
        ["getent hosts 10.0.0.11 PVE2", "10.0.0.11       pve1.lab.local pve1\n10.0.0.12       pve2.lab.local pve2\n"],
        ["getent hosts dual; getent ahostsv4 dual | head -n 1", "2001:db8::99    dual\n10.0.0.99       STREAM Canonical.example\n"],
        ["getent hosts bad short 10.0.0.77; echo $?", "2\n"],
        ["hostname -f; hostname -i", "pve1.lab.local\n10.0.0.11\n"],
      ]),
    ).toEqual([]);
  });
});

describe("an MTU given by hand", () => {
  const mtus = "corosync-cfgtool -n | grep -o 'mtu: .*'";

  it("is in force at once when a reload or a key changes it, and searched for again without", async () => {
    expect(
      await run({}, [
        [mtus, "mtu: 1397\nmtu: 1397\n"],
        [
          "sed -i 's/secauth: on/&\\n  knet_mtu: 1200/' /etc/corosync/corosync.conf; corosync-cfgtool -R; sleep 1",
          "Reloading corosync.conf...\nDone\n",
        ],
        [mtus, "mtu: 1093\nmtu: 1093\n"],
        ["corosync-cmapctl -m stats | grep 'node2.link1.mtu '", "stats.knet.node2.link1.mtu (u32) = 1093\n"],
        ["corosync-cmapctl -s totem.knet_mtu u32 100; sleep 1", ""],
        [mtus, "mtu: -11\nmtu: -11\n"],
        ["corosync-cmapctl -m stats | grep 'node2.link1.mtu '", "stats.knet.node2.link1.mtu (u32) = 4294967285\n"],
        ["corosync-cmapctl -s totem.knet_mtu u32 65536; sleep 1", ""],
        [mtus, "mtu: -11\nmtu: -11\n"],
        ["sed -i '/knet_mtu/d' /etc/corosync/corosync.conf; corosync-cfgtool -R; sleep 3", "Reloading corosync.conf...\nDone\n"],
        [mtus, "mtu: 1397\nmtu: 1397\n"],
        [
          `${saidBy("MTU .*set to|failed:|from -11|Global")} | tail -n 9`,
          [
            "[KNET  ] pmtud: MTU manually set to: 1200",
            "[KNET  ] pmtud: Global data MTU changed to: 1093",
            "[KNET  ] pmtud: MTU manually set to: 100",
            "[KNET  ] pmtud: Global data MTU changed to: 65535",
            "[TOTEM ] knet_handle_pmtud failed: Invalid argument (22)",
            "[KNET  ] pmtud: MTU manually set to: 0",
            "[KNET  ] pmtud: PMTUD link change for host: 2 link: 0 from -11 to 1397",
            "[KNET  ] pmtud: PMTUD link change for host: 2 link: 1 from -11 to 1397",
            "[KNET  ] pmtud: Global data MTU changed to: 1397",
          ]
            .map((line) => `  ${line}\n`)
            .join(""),
        ],
      ]),
    ).toEqual([]);
  });

  it("that is more than there is counts for nothing", async () => {
    expect(
      await run({ totem: "knet_mtu: 70000" }, [
        [mtus, "mtu: 1397\nmtu: 1397\n"],
        [saidBy("pmtud.*set"), "  [TOTEM ] knet_handle_pmtud_set failed: Invalid argument (22)\n"],
      ]),
    ).toEqual([]);
  });
});

describe("links that carry data together", () => {
  const sent = "corosync-cmapctl -m stats | grep node2.*tx_data_packets | cut -d ' ' -f 4";
  /** Packets to pve2 over both links during a second, as `equal`, `both` or `one`. */
  const shared = `a=($(${sent})); sleep 2; b=($(${sent})); x=$((b[0]-a[0])); y=$((b[1]-a[1])); d=$((x-y)); [ $x -gt 0 ] && [ $y -gt 0 ] && [ \${d#-} -le 1 ] && echo both || echo one`;

  it.each(["active", "rr"])("link_mode %s", async (mode) => {
    expect(
      await run({ totem: `link_mode: ${mode}` }, [
        [`${shared}`, "both\n"],
        [`${saidBy("host: 2 has|best link")} | tail -n 1`, "  [KNET  ] host: host: 2 has 2 active links\n"],
        "link cut pve1:net1",
        ["sleep 5; corosync-quorumtool -l | wc -l", "6\n"],
        [`${saidBy("host: 2 has|best link")} | tail -n 1`, "  [KNET  ] host: host: 2 has 1 active links\n"],
        [`${shared}`, "one\n"],
        "heal",
        // A reload leaves the mode of hosts that are there.
        [`sed -i s/${mode}/passive/ /etc/corosync/corosync.conf; corosync-cfgtool -R; sleep 5`, "Reloading corosync.conf...\nDone\n"],
        [`${saidBy("host: 2 has|best link")} | tail -n 1`, "  [KNET  ] host: host: 2 has 2 active links\n"],
      ]),
    ).toEqual([]);
  });
});

describe("compression", () => {
  const counted = "corosync-cmapctl -m stats | grep -E 'tx_(un)?compressed_packets' | cut -d ' ' -f 4 | tr '\\n' ' '";

  it("makes packets shorter and nothing else", async () => {
    expect(
      await run({ totem: "knet_compression_model: zlib\n  knet_compression_level: 5", logging: "debug: on" }, [
        ["corosync-quorumtool -s | grep Quorate:", "Quorate:          Yes\n"],
        [`c=($(${counted})); [ \${c[1]} -gt 0 ] && echo some`, "some\n"],
        [
          saidBy("compress"),
          [
            "compress: Initializing compress module [zlib/5/0]",
            "compress: resetting compression threshold to default (100)",
            "common: compress_zlib.so has been loaded from /usr/lib/x86_64-linux-gnu/kronosnet/compress_zlib.so",
            "compress: Initializing compress module [zlib/5/0]",
            "compress: resetting compression threshold to default (100)",
          ]
            .map((text) => `  [KNET  ] ${text}\n`)
            .join(""),
        ],
        ["sed -i s/zlib/lz4/ /etc/corosync/corosync.conf; corosync-cfgtool -R", "Reloading corosync.conf...\nDone\n"],
        [
          `${saidBy("loaded from")} | tail -n 1`,
          "  [KNET  ] common: compress_lz4.so has been loaded from /usr/lib/x86_64-linux-gnu/kronosnet/compress_lz4.so\n",
        ],
      ]),
    ).toEqual([]);
  });

  it("at a level that its module refuses is off, with an error", async () => {
    expect(
      await run({ totem: "knet_compression_model: bzip2" }, [
        ["corosync-quorumtool -s | grep Quorate:", "Quorate:          Yes\n"],
        [`c=($(${counted})); echo \${c[0]}`, "0\n"],
        [`${saidBy("zip2comp")} | sort -u`, "  [KNET  ] bzip2comp: bzip2 compress unknown error -2\n"],
        [`${saidBy("handle_compress")} | sort -u`, "  [TOTEM ] knet_handle_compress failed: Invalid argument (22)\n"],
      ]),
    ).toEqual([]);
  });
});

describe("the key of an imported file", () => {
  const conf = `totem {
  version: 2
  cluster_name: lab
  secauth: on
  keyfile: /etc/corosync/secret/authkey
}
nodelist {
  ${TWO_LINKS}
}
quorum {
  provider: corosync_votequorum
}
`;

  it("lies where the file says, on every node", async () => {
    const text = imported(conf, [
      FORMED,
      ["stat -c '%a %s' /etc/corosync/secret/authkey; [ -e /etc/corosync/authkey ] || echo not there", "400 256\nnot there\n"],
    ]);
    expect(await failures(text, "imported.yaml")).toEqual([]);
  });

  it("is made there by corosync-keygen -k as well", async () => {
    const text = imported(conf, [
      [
        "a=$(md5sum < /etc/corosync/secret/authkey); corosync-keygen -k /etc/corosync/secret/authkey",
        "Corosync Cluster Engine Authentication key generator.\nGathering 2048 bits for key from /dev/urandom.\nWriting corosync key to /etc/corosync/secret/authkey.\n",
      ],
      ["stat -c '%a %s' /etc/corosync/secret/authkey", "400 256\n"],
      ["systemctl restart corosync; sleep 6; corosync-quorumtool -l | wc -l", "5\n"],
      ["corosync-keygen -k /run/b -s 1024 > /dev/null; stat -c %s /run/b; corosync-keygen -s 100 -k /run/c; echo $?", "1024\n1\n"],
      ["corosync-keygen -k /no/b 2>&1 | tail -n 1", "corosync-keygen: Could not create /no/b: No such file or directory\n"],
    ]);
    expect(await failures(text, "imported.yaml")).toEqual([]);
  });

  it("f09-keyfile-elsewhere.conf", async () => {
    const report = reported("f09-keyfile-elsewhere.conf");
    if (report !== undefined) expect(await failures(imported(report, [FORMED]), "imported.yaml")).toEqual([]);
  });
});

describe("log files", () => {
  const FILE = "to_logfile: yes\n  logfile: /var/log/corosync/c.log\n  ";
  const count = (file: string, what: string): string => `grep -c '${what}' /var/log/corosync/${file}`;
  const shape = (file: string, line: string): string => `grep -m 1 '${line}' /var/log/corosync/${file} | sed -E 's/\\[[0-9]+\\]/[PID]/'`;

  it("have the daemon's lines with time, process, host and level, and syslog has none where it is not wanted", async () => {
    expect(
      await run({ logging: `${FILE}to_syslog: no\n  timestamp: on` }, [
        [shape("c.log", "Members.2"), "Jan 01 00:00:07 [PID] pve1 corosync notice  [QUORUM] Members[2]: 1 2\n"],
        ["stat -c %a /var/log/corosync/c.log; journalctl -u corosync -o cat --no-pager | grep -c MAIN", "644\n0\n"],
        [
          "sed -i 's/timestamp: on/timestamp: off/' /etc/corosync/corosync.conf; corosync-cfgtool -R > /dev/null; corosync-cfgtool -R",
          "Reloading corosync.conf...\nDone\n",
        ],
        [
          "tail -n 2 /var/log/corosync/c.log | head -n 1 | sed -E 's/.[0-9]+. /[PID] /'",
          "[PID] pve1 corosyncinfo    [TOTEM ] Configured link number 1: local addr: 10.10.1.11, port=5406\n",
        ],
      ]),
    ).toEqual([]);
  });

  it("have hundredths by default, priorities, and subsystems of their own", async () => {
    const own = "logger_subsys {\n    subsys: QUORUM\n    logfile: /var/log/corosync/q.log\n    debug: on\n  }";
    expect(
      await run({ logging: `${FILE}logfile_priority: warning\n  syslog_priority: crit\n  ${own}` }, [
        [`grep -c -E '(notice|info|debug) ' /var/log/corosync/c.log; ${count("c.log", "WD.*recovery key")}`, "0\n2\n"],
        [`${count("q.log", "debug   .QUORUM")} > /dev/null && echo some`, "some\n"],
        [
          shape("q.log", "Using quorum").replace("sed -E '", "sed -E 's/:..\\.[0-9]{3} /:ss.mmm /;"),
          "Jan 01 00:00:ss.mmm [PID] pve1 corosync notice  [QUORUM] Using quorum provider corosync_votequorum\n",
        ],
        // A subsystem's debug goes to syslog as well, whatever the priority is.
        ["journalctl -u corosync -o cat --no-pager | grep -F '[' | grep -v -F QUORUM | wc -l", "0\n"],
      ]),
    ).toEqual([]);
  });

  it("have the place in the source of each line where that is wanted", async () => {
    expect(
      await run({ logging: `${FILE}fileline: on\n  function_name: on` }, [
        [
          "grep -m 1 Members.2 /var/log/corosync/c.log | sed 's/.*corosync notice/notice/'",
          "notice  [QUORUM] vsf_quorum.c:log_view_list:159 Members[2]: 1 2\n",
        ],
        [
          "journalctl -u corosync -o cat --no-pager | grep -m 1 'is up'",
          "  [KNET  ] libknet.h:log_deliver_fn:763 rx: host: 2 link: 0 is up\n",
        ],
        ["grep -c -v -E '[a-z_]+[.][ch]:[a-z_]+:[0-9]+ ' /var/log/corosync/c.log", "0\n"],
        [
          "sed -i /fileline/d /etc/corosync/corosync.conf; corosync-cfgtool -R > /dev/null; tail -n 1 /var/log/corosync/c.log | sed 's/.*KNET/KNET/'",
          "KNET  ] log_deliver_fn pmtud: MTU manually set to: 0\n",
        ],
      ]),
    ).toEqual([]);
  });

  it("are switched off for all that share them by one subsystem's to_logfile", async () => {
    expect(
      await run({ logging: `${FILE}logger_subsys {\n    subsys: SERV\n    to_logfile: no\n  }` }, [
        ["stat -c %s /var/log/corosync/c.log", "0\n"],
        ["journalctl -u corosync -o cat --no-pager | grep -c 'SERV.*loaded'", "8\n"],
      ]),
    ).toEqual([]);
  });

  it("follow their inode until they are opened again, and another name at a reload", async () => {
    const lines = "wc -l < /var/log/corosync";
    expect(
      await run({ logging: FILE }, [
        ["cd /var/log/corosync; mv c.log c.1; corosync-cfgtool -R > /dev/null; ls; tail -n 1 c.1 | grep -c pmtud", "c.1\n1\n"],
        [`corosync-cfgtool -L; echo $?; corosync-cfgtool -R > /dev/null; ${lines}/c.log`, "0\n6\n"],
        // copytruncate
        [`: > /var/log/corosync/c.log; corosync-cfgtool -R > /dev/null; ${lines}/c.log`, "6\n"],
        [
          "cd /var/log/corosync; rm c.log; mkdir c.log; corosync-cfgtool -L 2>&1; echo $?",
          "Could not reopen corosync logging files. Error CS_ERR_LIBRARY\n2\n",
        ],
        [
          "journalctl -u corosync -o cat --no-pager | tail -n 1",
          "  [QB    ] Unable to reopen log file /var/log/corosync/c.log: Is a directory (21)\n",
        ],
        [`cd /var/log/corosync; rmdir c.log; corosync-cfgtool -R > /dev/null; ls; corosync-cfgtool -L; ${lines}/c.log`, "c.1\n0\n"],
        [`sed -i s/c.log/d.log/ /etc/corosync/corosync.conf; corosync-cfgtool -R > /dev/null; ${lines}/c.log; ${lines}/d.log`, "5\n1\n"],
        // One that cannot be opened changes nothing.
        [
          `sed -i 's#corosync/d.log#nowhere/d.log#' /etc/corosync/corosync.conf; corosync-cfgtool -R; ${lines}/d.log`,
          "Reloading corosync.conf...\nDone\n7\n",
        ],
        [`corosync-cfgtool -R > /dev/null; ${lines}/d.log`, "13\n"],
      ]),
    ).toEqual([]);
  });

  it("are read while they grow, and lose what a full disk does not take", async () => {
    expect(
      await run({ logging: FILE }, [
        ["(sleep 1; corosync-cfgtool -R > /dev/null) & timeout 3 tail -n 0 -f /var/log/corosync/c.log | grep -c TOTEM", "4\n"],
        "disk pve1 full",
        // What is left of its last block is filled up, and no more.
        ["for i in {1..20}; do corosync-cfgtool -R > /dev/null; done; echo $(( $(stat -c %s /var/log/corosync/c.log) % 4096 ))", "0\n"],
        "disk pve1 ok",
        [
          "a=$(wc -l < /var/log/corosync/c.log); corosync-cfgtool -R > /dev/null; b=$(wc -l < /var/log/corosync/c.log); echo $((b-a))",
          "6\n",
        ],
      ]),
    ).toEqual([]);
  });

  it("that cannot be opened end the start and its test, after those before them were made", async () => {
    const bad = FILE.replace("c.log", "no/c.log");
    expect(
      await run({ logging: `${FILE}logger_subsys {\n    subsys: SERV\n    logfile: /var/log/corosync\n  }` }, [
        ["systemctl is-active corosync; stat -c %s /var/log/corosync/c.log", "failed\n0\n"],
        [
          "corosync -t 2>&1; echo $?",
          "parse error in config: Can't open logfile '/var/log/corosync' for reason: Is a directory (21).\n7\n",
        ],
      ]),
    ).toEqual([]);
    expect(
      await run({ logging: bad }, [
        [
          "journalctl -u corosync -o cat --no-pager | grep -F logfile",
          "parse error in config: Can't open logfile '/var/log/corosync/no/c.log' for reason: No such file or directory (2).\n",
        ],
        [
          "sed -i s#no/c.log#c.log# /etc/corosync/corosync.conf; corosync -t > /dev/null 2>&1; sed 's/.*corosync notice/notice/' /var/log/corosync/c.log",
          "notice  [MAIN  ] Corosync Cluster Engine exiting normally\n",
        ],
      ]),
    ).toEqual([]);
  });
});

describe("programs on the disk", () => {
  it("are found, listed and run by path, also where bin is a link, and as copies", async () => {
    expect(
      await run({}, [
        ["readlink /bin /sbin /lib | tr '\\n' ' '", "usr/bin usr/sbin usr/lib "],
        [
          "ls /bin/true /usr/sbin/corosync; which true corosync pvecm | tr '\\n' ' '",
          "/bin/true\n/usr/sbin/corosync\n/usr/bin/true /usr/sbin/corosync /usr/sbin/pvecm ",
        ],
        [
          "for n in cat ping corosync-cfgtool; do p=$(command -v $n); [ -x $p ] && [ $p = $(type -P $n) ] && head -c 4 $p | od -An -c; done | sort -u",
          " 177   E   L   F\n",
        ],
        [
          "cp /bin/echo /root/say; ln -s /bin/cat /root/show; /root/say hi | /root/show; /usr/bin/env /bin/sh -c 'echo in sh'",
          "hi\nin sh\n",
        ],
        [
          "rm /usr/bin/uniq; which uniq || echo none; /usr/bin/uniq 2>&1; echo $?",
          "none\nbash: /usr/bin/uniq: No such file or directory\n127\n",
        ],
        [
          "printf '#!/bin/sh\\necho mine\\n' > /usr/local/bin/mine; chmod +x /usr/local/bin/mine; mine; type mine",
          "mine\nmine is /usr/local/bin/mine\n",
        ],
        [
          "head -c 100 /bin/ls > /root/half; printf '\\0\\1binary' > /root/bin; chmod +x /root/bin; /root/bin 2>&1; echo $?",
          "bash: /root/bin: cannot execute binary file: Exec format error\n126\n",
        ],
      ]),
    ).toEqual([]);
  });
});

describe("ping", () => {
  const six = JSON.stringify({
    networks: { net0: "10.0.0.0/24", net1: "2001:db8::/64" },
    nodes: { pve1: { net0: "10.0.0.11", net1: "2001:db8::11" }, pve2: { net0: "10.0.0.12", net1: "2001:db8::12" } },
  });
  const MIXED = TWO_LINKS.replace("10.10.1.11", "2001:db8::11").replace("10.10.1.12", "2001:db8::12");

  it("prints what iputils prints, over both families, by name and to this machine", async () => {
    expect(
      await run({ nodelist: MIXED, networks: six }, [
        [
          "ping -c 2 10.0.0.12; echo $?",
          "PING 10.0.0.12 (10.0.0.12) 56(84) bytes of data.\n64 bytes from 10.0.0.12: icmp_seq=1 ttl=64 time=0.400 ms\n64 bytes from 10.0.0.12: icmp_seq=2 ttl=64 time=0.400 ms\n\n" +
            "--- 10.0.0.12 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 1000ms\nrtt min/avg/max/mdev = 0.400/0.400/0.400/0.000 ms\n0\n",
        ],
        [
          "ping -q -c 1 pve2 | head -n 1; ping -c 1 pve2 | grep bytes.from",
          "PING pve2.lab.local (10.0.0.12) 56(84) bytes of data.\n64 bytes from pve2.lab.local (10.0.0.12): icmp_seq=1 ttl=64 time=0.400 ms\n",
        ],
        [
          "/bin/ping -c 1 2001:db8::12 | head -n 2",
          "PING 2001:db8::12(2001:db8::12) 56 data bytes\n64 bytes from 2001:db8::12: icmp_seq=1 ttl=64 time=0.400 ms\n",
        ],
        [
          "ping -q -c 1 127.0.0.1 | tail -n 2 | head -n 1; ping -q -c 1 pve1 > /dev/null; echo $?",
          "1 packets transmitted, 1 received, 0% packet loss, time 0ms\n0\n",
        ],
        ["timeout -s INT 2.5 ping -q 10.0.0.12 | grep transmitted", "3 packets transmitted, 3 received, 0% packet loss, time 2000ms\n"],
      ]),
    ).toEqual([]);
  });

  it("says by its status whether anybody is there", async () => {
    expect(
      await run({}, [
        [
          "ping -q -c 2 -i 0.2 -W 1 10.0.0.77; echo $?",
          "PING 10.0.0.77 (10.0.0.77) 56(84) bytes of data.\n\n--- 10.0.0.77 ping statistics ---\n2 packets transmitted, 0 received, 100% packet loss, time 200ms\n\n1\n",
        ],
        [
          "ping -c 1 192.0.2.1 2>&1; echo $?; ping nosuch 2>&1; echo $?; ping -c 0 10.0.0.12 2>&1; echo $?",
          "ping: connect: Network is unreachable\n2\nping: nosuch: Temporary failure in name resolution\n2\nping: invalid argument: '0': out of range: 1 <= value <= 9223372036854775807\n1\n",
        ],
        "link cut pve2:net0 --direction out",
        [
          "ping -q -c 1 -W 1 10.0.0.12 > /dev/null; echo $?; ping -q -w 2 -c 9 10.10.1.12 | grep loss",
          "1\n2 packets transmitted, 2 received, 0% packet loss, time 1000ms\n",
        ],
        "heal",
        "node pause pve2",
        ["ping -q -c 1 -W 1 10.0.0.12 > /dev/null; echo $?", "1\n"],
        "node resume pve2",
        ["systemctl stop corosync; ping -q -c 1 10.0.0.12 > /dev/null; echo $?", "0\n"],
        "nic down pve1 net0",
        ["ping -q -c 1 -W 1 10.0.0.12 2>&1; echo $?", "ping: connect: Network is unreachable\n2\n"],
      ]),
    ).toEqual([]);
  });
});

describe("reported configurations that run", () => {
  it.each(["f06-knet_mtu.conf", "f07-log-to-a-file-only.conf", "f08-compression.conf", "f08-link_mode-active.conf"])("%s", async (file) => {
    const report = reported(file);
    if (report !== undefined) expect(await failures(imported(report, [FORMED]), "imported.yaml")).toEqual([]);
  });
});
