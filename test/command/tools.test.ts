/** The corosync tools option by option. What is expected was printed by corosync 3.1.7 for the same call, unless a test says otherwise. */
import { describe, expect, it } from "vitest";
import { CmapMap, type CmapEntry } from "../../src/engine/cmap/index.ts";
import { completions, tools, type Result } from "../../src/engine/command/index.ts";
import { utf8 } from "../../src/engine/kernel/index.ts";
import { ask as question, handmade, link, view, type NodeShape, type ViewShape } from "./fake-host.ts";

const NODES: NodeShape[] = [1, 2, 3].map((i) => ({ nodeId: i, name: `node${i}`, addresses: [`10.10.0.${i}`, `10.10.1.${i}`], votes: 1 }));

function shape(over: Partial<ViewShape> = {}): ViewShape {
  const [own] = NODES;
  if (!own) throw new Error("a node wanted");
  const links = NODES.slice(1).flatMap((n) => [link(own, n, 0, true), link(own, n, 1, true)]);
  return {
    nodeId: 1,
    nodes: NODES,
    members: [1, 2, 3],
    ring: { rep: 1, seq: 13 },
    quorate: true,
    expectedVotes: 3,
    highestExpected: 3,
    totalVotes: 3,
    quorum: 2,
    links,
    ...over,
  };
}

function ask(line: string, machine = handmade(view(shape()))): Result {
  const answer = question(machine, line.split(" "));
  if (answer === undefined || answer === "acts") throw new Error(`${line}: ${String(answer)}`);
  return answer;
}

const TABLE = "\nMembership information\n----------------------\n";

describe("corosync-quorumtool", () => {
  it.each([
    [
      "-l -i -a",
      "    Nodeid      Votes Name\n         1          1 10.10.0.1, 10.10.1.1 (local)\n         2          1 10.10.0.2, 10.10.1.2\n         3          1 10.10.0.3, 10.10.1.3\n",
    ],
    [
      "-l -a",
      "    Nodeid      Votes Name\n         1          1 node1,  (local)\n         2          1 node2, \n         3          1 node3, \n",
    ],
    [
      "-l -H",
      "    Nodeid      Votes Name\n0x00000001          1 node1 (local)\n0x00000002          1 node2\n0x00000003          1 node3\n",
    ],
    [
      "-p -l",
      "    Nodeid      Votes    Qdevice Name\n         1          1         NR node1 (local)\n         2          1         NR node2\n         3          1         NR node3\n",
    ],
    [
      "-s -l -o n",
      "    Nodeid      Votes Name\n         1          1 node1 (local)\n         2          1 node2\n         3          1 node3\n",
    ],
  ])("%s", (options, rows) => expect(ask(`corosync-quorumtool ${options}`)).toEqual({ stdout: TABLE + rows, stderr: "", status: 0 }));

  it("-H -i shows the own id in hexadecimal too, and dates with a blank before a single digit", () => {
    const machine = handmade(view(shape()));
    machine.now = 13 * 86_400 * 1_000_000;
    const { stdout } = ask("corosync-quorumtool -H -i", machine);
    expect(stdout).toContain("Date:             Thu Dec  3 09:35:28 2026\n");
    expect(stdout).toContain("Node ID:          0x00000001\n");
    expect(stdout).toContain("0x00000002          1 10.10.0.2\n");
  });

  it.each([
    ["-e 0", "New expected votes value was not valid, try a positive number\n"],
    ["-e 3x", "New expected votes value was not valid, try a positive number\n"],
    ["-e -1", "New expected votes value was not valid, try a positive number\n"],
    ["-e 99999999999", "New expected votes value was not valid, try a positive number\n"],
    ["-v 1x -n 3", "New votes value was not valid, try a positive number or zero\n"],
    ["-n 0 -v 1", "The nodeid was not valid, try a positive number\n"],
    ["-o q", "Invalid ordering option. valid orders are a(address), i(node ID) or n(name)\n"],
  ])("%s is refused before anybody is asked", (options, stderr) => {
    expect(ask(`corosync-quorumtool ${options}`, handmade("down"))).toEqual({ stdout: "", stderr, status: 1 });
  });

  it("wrong options bring the usage on stdout and glibc's line on stderr", () => {
    const wrong = ask("corosync-quorumtool -Z");
    expect([wrong.stderr, wrong.status, wrong.stdout.slice(0, 8)]).toEqual([
      "corosync-quorumtool: invalid option -- 'Z'\n",
      1,
      "usage: \n",
    ]);
    expect(ask("corosync-quorumtool -e").stderr).toBe("corosync-quorumtool: option requires an argument -- 'e'\n");
    expect(ask("corosync-quorumtool -sV").stdout).toBe("corosync-quorumtool version: 3.1.7\n");
    expect(ask("corosync-quorumtool -h").status).toBe(0);
  });

  it("changing, monitoring and a daemon that hangs are no queries", () => {
    const machine = handmade(view(shape()));
    for (const line of ["-e 3", "-v 1 -n 2", "-m"]) expect(question(machine, ["corosync-quorumtool", ...line.split(" ")])).toBe("acts");
    expect(question(handmade("stalled"), ["corosync-quorumtool", "-s"])).toBe("acts");
    expect(question(handmade("stalled"), ["corosync-quorumtool", "-h"])).not.toBe("acts");
  });
});

describe("corosync-cfgtool", () => {
  it("-s with two links, -b in short, a link that is down as 1", () => {
    expect(ask("corosync-cfgtool -s").stdout).toBe(
      "Local node ID 1, transport knet\n" +
        [0, 1]
          .map(
            (l) =>
              `LINK ID ${l} udp\n\taddr\t= 10.10.${l}.1\n\tstatus:\n\t\tnodeid:          1:\tlocalhost\n\t\tnodeid:          2:\tconnected\n\t\tnodeid:          3:\tconnected\n`,
          )
          .join(""),
    );
    expect(ask("corosync-cfgtool -b -s").stdout).toBe(
      "Local node ID 1, transport knet\nLINK ID 0 udp\n\taddr\t= 10.10.0.1\n\tstatus\t= n33\nLINK ID 1 udp\n\taddr\t= 10.10.1.1\n\tstatus\t= n33\n",
    );
    const cut = shape();
    cut.links = cut.links.map((l) => (l.to === 3 && l.link === 1 ? { ...l, connected: false } : l));
    expect(ask("corosync-cfgtool -s -b", handmade(view(cut))).stdout).toContain("LINK ID 1 udp\n\taddr\t= 10.10.1.1\n\tstatus\t= n31\n");
    expect(ask("corosync-cfgtool -n", handmade(view(cut))).stdout).toContain("   LINK: 1 udp (10.10.1.1->10.10.1.3) enabled mtu: 1397\n");
  });

  it.each([
    ["-a 2", "10.10.0.2 10.10.1.2\n", "", 0],
    ["-a 9", "", "Could not get node address for nodeid 9\n", 1],
    ["-a x", "", "The nodeid was not valid, try a positive number\n", 1],
    ["-k 0", "", "The nodeid was not valid, try a positive number\n", 1],
    ["-L", "", "", 0],
  ])("%s", (options, stdout, stderr, status) => expect(ask(`corosync-cfgtool ${options}`)).toEqual({ stdout, stderr, status }));

  it("without a daemon", () => {
    const down = handmade("down");
    expect(ask("corosync-cfgtool -s", down)).toEqual({
      stdout: "",
      stderr: "Could not initialize corosync configuration API error 2\n",
      status: 1,
    });
    expect(ask("corosync-cfgtool -k 1", down)).toEqual({
      stdout: "Killing node 1\n",
      stderr: "Could not initialize corosync configuration API error 2\n",
      status: 1,
    });
    expect(ask("corosync-cfgtool", down).stdout).toContain("-H\tShutdown corosync cleanly on this node.\n");
  });
});

describe("corosync-cmapctl", () => {
  const cmap: CmapEntry[] = [
    { key: "test.a", type: "u8", value: 12 },
    { key: "test.c", type: "flt", value: 1.5 },
    { key: "test.d", type: "dbl", value: 1500 },
    { key: "test.e", type: "str", value: "a b" },
    { key: "test.f", type: "u64", value: 18446744073709551615n },
    { key: "test.g", type: "bin", value: Uint8Array.of(0x76, 0x20, 0x5c, 0x0a, 0xd0) },
    { key: "totem.version", type: "u32", value: 2 },
  ];
  const machine = handmade(view(shape({ cmap })));

  it("lists by prefix; binary values only with -b, bytes above 0x7f sign-extended, a backslash doubled", () => {
    expect(ask("corosync-cmapctl test", machine).stdout).toBe(
      "test.a (u8) = 12\ntest.c (flt) = 1.500000\ntest.d (dbl) = 1500.000000\ntest.e (str) = a b\ntest.f (u64) = 18446744073709551615\ntest.g (bin)\n",
    );
    expect(ask("corosync-cmapctl -b test.g", machine).stdout).toBe("test.g (bin) = v \\\\\\x0A\\xFFFFFFD0\n");
  });

  it.each([
    ["-g totem.version no.such test.a", "totem.version (u32) = 2\n", "Can't get key no.such. Error CS_ERR_NOT_EXIST\n", 1],
    ["-q -g totem.version", "2\n", "", 0],
    ["-q -g test.g", "bin)\n", "", 0],
    ["nosuch", "", "", 1],
    ["-g", "", "Expected key after options\n", 1],
    ["-m foo", "", "invalid map name, must be 'default', 'icmap' or 'stats'\n", 1],
    ["-C foo", "", "argument to -C should be 'knet', 'totem', 'ipc', 'schedmiss' or 'all'\n", 1],
    ["-s test.a u8", "", "At least 3 parameters are expected for set\n", 1],
  ])("%s", (options, stdout, stderr, status) => expect(ask(`corosync-cmapctl ${options}`, machine)).toEqual({ stdout, stderr, status }));

  it("without a daemon", () => {
    expect(ask("corosync-cmapctl", handmade("down"))).toEqual({
      stdout: "",
      stderr: "Failed to initialize the cmap API. Error CS_ERR_LIBRARY\n",
      status: 1,
    });
  });
});

describe("the configuration map", () => {
  it("refuses names that are too short, too long or have other characters, all in the same way", () => {
    const map = new CmapMap();
    for (const key of ["te", "te st", "a".repeat(256)]) expect(map.set(key, "u8", 1)).toBe("CS_ERR_NAME_TOO_LONG");
    for (const key of ["te:st", ".test", "te/st-_.A", "a".repeat(255)]) expect(map.set(key, "u8", 1)).toBeUndefined();
  });

  it("protects what the daemon protects, and nothing more", () => {
    const map = new CmapMap();
    for (const key of [
      "totem.cluster_name",
      "nodelist.node.0.name",
      "runtime.config.totem.token",
      "runtime.services.cmap.0.rx",
      "internal_configuration.service.0.name",
    ]) {
      expect(map.set(key, "str", "x"), key).toBe("CS_ERR_ACCESS");
    }
    for (const key of ["runtime.members.1.status", "resources.x.y"]) expect(map.set(key, "str", "x"), key).toBeUndefined();
    expect(map.delete("no.such")).toBe("CS_ERR_NOT_EXIST");
    expect(map.delete("nodelist.node.0.name")).toBe("CS_ERR_ACCESS");
  });
});

describe("pvecm", () => {
  const conf = "totem {\n  cluster_name: lab\n  config_version: 3\n  secauth: on\n  version: 2\n}\n";
  function node(daemon = view(shape())): ReturnType<typeof handmade> {
    const made = handmade(daemon);
    made.files.set("/etc/corosync/corosync.conf", utf8(conf));
    return made;
  }

  it("status is its own block and quorumtool's", () => {
    const { stdout, status } = ask("pvecm status", node());
    expect(status).toBe(0);
    expect(
      stdout.startsWith(
        "Cluster information\n-------------------\nName:             lab\nConfig Version:   3\nTransport:        knet\nSecure auth:      on\n\nQuorum information\n",
      ),
    ).toBe(true);
    expect(stdout).toContain("Node ID:          0x00000001\n");
    expect(stdout.endsWith("0x00000003          1 10.10.0.3\n")).toBe(true);
  });

  it("status exits 2 when not quorate, and 1 after its own block when corosync is down", () => {
    expect(ask("pvecm status", node(view(shape({ quorate: false })))).status).toBe(2);
    const down = node();
    down.daemon = "down";
    expect(ask("pvecm status", down)).toEqual({
      stdout:
        "Cluster information\n-------------------\nName:             lab\nConfig Version:   3\nTransport:        knet\nSecure auth:      on\n\n",
      stderr: "Cannot initialize CMAP service\n",
      status: 1,
    });
  });

  it.each([
    ["nodes", 0, ""],
    ["expected", 255, "400 not enough arguments\npvecm expected <expected>\n"],
    ["frobnicate", 255, "ERROR: unknown command 'pvecm frobnicate'\nUSAGE: pvecm <COMMAND> [ARGS] [OPTIONS]\n"],
    ["create lab", 1, "pvecm create: not modelled in this lab\n"],
  ])("%s", (args, status, stderr) => {
    const answer = ask(`pvecm ${args}`, node());
    expect(answer.status).toBe(status);
    expect(answer.stderr.startsWith(stderr)).toBe(true);
  });

  it("outside a cluster", () => {
    expect(ask("pvecm status")).toEqual({
      stdout: "",
      stderr: "Error: Corosync config '/etc/pve/corosync.conf' does not exist - is this node part of a cluster?\n",
      status: 2,
    });
  });
});

describe("completion", () => {
  it("knows commands, options, subcommands and keys", () => {
    const machine = handmade(view(shape({ cmap: [{ key: "totem.version", type: "u32", value: 2 }] })));
    const installed = new Set([...tools.keys()].filter((name) => !/-(qdevice|qnetd)-/.test(name)));
    const complete = (...line: string[]): string[] => completions(installed, machine, line);
    expect(complete("corosync-q")).toEqual(["corosync-quorumtool"]);
    expect(complete("pvecm", "s")).toEqual(["status"]);
    expect(complete("corosync-cfgtool", "-")).toContain("-n");
    expect(complete("corosync-cmapctl", "-g", "tot")).toEqual(["totem.version"]);
    expect(complete("ls", "")).toEqual([]);
  });
});

describe("corosync-cpgtool", () => {
  const groups = ["x y,z", "\u00e9", "a\tb\\c", "plain"];
  const node = () =>
    handmade({ ...view(shape()), cpgGroups: () => groups.map((group) => ({ group, members: [{ nodeId: 1, pid: 24083 }] })) });
  const rows = (...names: string[]): string => names.map((name) => `${name}\n\t\t     24083\t         1 (10.10.0.1)\n`).join("");
  const HEAD = "Group Name\t       PID\t   Node ID\n";

  it.each([
    ["", HEAD + rows("x y,z", "\\xFFFFFFC3\\xFFFFFFA9", "a\\x09b\\\\c", "plain")],
    [" -e", HEAD + rows("x y,z", "\u00e9", "a\tb\\c", "plain")],
    [" -d ,", "GRP_NAME,PID,NODEID\nx y,z,24083,1\n\\xFFFFFFC3\\xFFFFFFA9,24083,1\na\\x09b\\\\c,24083,1\nplain,24083,1\n"],
    [" -d ,x -e", "GRP_NAME,PID,NODEID\nx y,z,24083,1\n\u00e9,24083,1\na\tb\\c,24083,1\nplain,24083,1\n"],
    [" -n", "x y,z\n\\xFFFFFFC3\\xFFFFFFA9\na\\x09b\\\\c\nplain\n"],
    [" -n -e -d :", "x y,z:\u00e9:a\tb\\c:plain:\n"],
  ])("corosync-cpgtool%s", (options, printed) => {
    expect(ask(`corosync-cpgtool${options}`, node())).toEqual({ stdout: printed, stderr: "", status: 0 });
  });

  it("an empty delimiter is none", () => {
    const answer = question(node(), ["corosync-cpgtool", "-d", ""]);
    expect(answer).toMatchObject({ stdout: expect.stringContaining(HEAD) as string, status: 0 });
  });
});
