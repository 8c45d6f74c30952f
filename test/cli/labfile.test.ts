/** Lab files: what they mean, the place of what is wrong in them, and what they may name and how large they may be. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { World } from "../../src/engine/world/index.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { importedLab } from "../../src/main/lab/file/import.ts";
import { parseLabFile, printLabFile, readLabFile } from "../../src/main/lab/file/labfile.ts";
import { readInput } from "../../src/main/lab/file/read-input.ts";
import { machinesOf } from "../../src/main/lab/fuzz/schedule-scenario.ts";

const whole = `quorate: 1
name: two of three
seed: 7f3a
epoch: 2026-01-01T00:00:00Z
networks: { net0: 10.0.0.0/24, net1: 10.10.1.0/24 }
nodes:
  pve1: { net0: 10.0.0.11, net1: 10.10.1.11, files: { /root/note: "hello" } }
  pve2: { net0: 10.0.0.12, net1: 10.10.1.12, boot: 7s, power: off }
  pve3: { net0: 10.0.0.13, disable: [corosync], id: 9 }
cluster: { name: lab, links: [net0, net1], members: [pve1, pve2], votes: { pve1: 2 }, totem: { token: 3000 }, priorities: { net1: 10 } }
faults: [ "link cut pve2:net1" ]
steps:
  - do: node kill pve2
  - wait: { members: 1, node: pve1, timeout: 30 }
  - exec: { node: pve1, run: "pvecm status", status: 0 }
  - at: 45s
    do: node start pve2
  - expect: { node: pve1, quorum.quorate: true, corosync.members: [1, 2] }
  - input: { node: pve3, run: pvecm add 10.0.0.11, answers: [quorate, "yes"] }
`;

describe("a lab file", () => {
  it("is read, printed and read again as the same lab", () => {
    const lab = parseLabFile(whole, "lab.yaml");
    expect(parseLabFile(printLabFile(lab), "lab.yaml")).toEqual(lab);
    expect(lab.nodes["pve2"]).toEqual({ nets: { net0: "10.0.0.12", net1: "10.10.1.12" }, boot: 7_000_000, power: "off" });
    expect(lab.steps[3]).toEqual({ at: 45_000_000, do: "node start pve2" });
  });

  it("becomes machines with cards in the order of the networks, and files on their disks", () => {
    const design = worldDesign(parseLabFile(whole, "lab.yaml"));
    const [pve1, pve2, pve3] = design.machines;
    expect(pve1?.nics).toEqual([
      { name: "eno1", net: "net0", address: "10.0.0.11", prefix: 24 },
      { name: "eno2", net: "net1", address: "10.10.1.11", prefix: 24 },
    ]);
    expect(pve1?.files.map((f) => f.path)).toEqual(["/etc/corosync/corosync.conf", "/etc/corosync/authkey", "/root/note"]);
    expect(pve2?.boot).toBe(7_000_000);
    // A member that is off had joined, so it is on while the cluster forms.
    expect(pve2?.power).toBe("on");
    expect(pve3?.files).toEqual([]);
    expect(pve3?.disabledUnits).toEqual(["corosync"]);
  });

  it("gives the cluster's file the members, votes, priorities and timers it names", () => {
    const conf = confOf(parseLabFile(whole, "lab.yaml")) ?? "";
    expect(conf).toContain("quorum_votes: 2");
    expect(conf).toContain("token: 3000");
    // As pvecm writes it, unless the lab file says otherwise.
    expect(conf).toContain("token_coefficient: 125");
    expect(confOf(parseLabFile(whole.replace("token: 3000", "token_coefficient: 650"), "lab.yaml"))).toContain("token_coefficient: 650");
    expect(conf).toContain("knet_link_priority: 10");
    expect(conf).toContain("ring1_addr: 10.10.1.12");
    expect(conf).not.toContain("pve3");
  });

  it("of a new lab has the addresses of the manual", () => {
    const lab = defaultLabFile({ nodes: 3, links: 2, clustered: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" });
    expect(lab.nodes["pve3"]?.nets).toEqual({ net0: "10.0.0.13", net1: "10.10.1.13" });
    expect(lab.networks).toEqual({ net0: "10.0.0.0/24", net1: "10.10.1.0/24" });
  });

  it("is made of a real corosync.conf, which every node then has verbatim", () => {
    const lab = parseLabFile(whole, "lab.yaml");
    const conf = confOf(lab) ?? "";
    const imported = importedLab(conf, "corosync.conf");
    expect(imported.nodes["pve2"]?.nets).toEqual({ net0: "10.0.0.12", net1: "10.10.1.12" });
    expect(confOf(imported)).toBe(conf);
  });
});

describe("options of votequorum in a lab file", () => {
  it.each([
    ["two_node: 1", 2, ["2Node", "Quorate", "WaitForAll"]],
    ["wait_for_all: 1", 3, ["Quorate", "WaitForAll"]],
    ["wait_for_all: 1, last_man_standing: 1, last_man_standing_window: 5000", 3, ["Quorate", "WaitForAll", "LastManStanding"]],
    ["auto_tie_breaker: 1, auto_tie_breaker_node: 2 1", 4, ["Quorate", "AutoTieBreaker"]],
    ["allow_downscale: 1", 3, ["Quorate", "AllowDownscale"]],
    ["expected_votes_tracking: 1", 3, ["Quorate"]],
  ])("{ %s } is in force on %d nodes", (options, count, flags) => {
    const nodes = Array.from({ length: count }, (_, i) => `  pve${i + 1}: { net0: 10.0.0.1${i + 1} }\n`).join("");
    const text = `quorate: 1\nnetworks: { net0: 10.0.0.0/24 }\nnodes:\n${nodes}cluster: { name: lab, quorum: { ${options} } }\n`;
    const lab = parseLabFile(text, "lab.yaml");
    const world = new World(worldDesign(lab), machinesOf(lab));
    expect(beginLab(world, lab)).toBeUndefined();
    for (const name of world.names) expect(world.status(name).quorum?.flags).toEqual(flags);
    expect(printLabFile(lab)).toContain(options.split(":")[0]);
  });
});

describe("a malformed lab file is refused with line and column", () => {
  // The place that the message must name is marked with ^.
  it.each([
    ["power: off", "power: ^maybe", "nodes.pve2.power"],
    ["boot: 7s", "boot: ^7 fortnights", "nodes.pve2.boot: a duration"],
    ["quorate: 1", "quorate: ^2", "quorate: the schema version"],
    ["links: [net0, net1]", "links: [net0, ^net9]", "no network net9"],
    ["members: [pve1, pve2]", "members: [pve1, ^pve7]", "no node pve7"],
    ["faults:", "^fault:", 'unknown key "fault"'],
    ['"link cut pve2:net1"', '^"link cut pve3:net1"', "unknown network of pve3"],
    ["do: node kill pve2", "do: ^node kill pve7", "unknown node"],
    ["do: node kill pve2", "^doo: x", "a step has exactly one of do, wait, exec, expect, input"],
    ["members: 1, node", "members: ^one, node", "steps.1.wait.members"],
    ["node: pve3, run", "node: ^pve8, run", "no node pve8"],
    ["disable: [corosync]", "^clockSkew: 3", "nodes.pve3.clockSkew: clock skew is not part of this version"],
    ["10.10.1.0/24 }", "10.10.1.0/24, net2: ^10.9.0.0/40 }", "10.9.0.0/40 is no network"],
    ["net0: 10.0.0.13", "net0: ^10.0.0.300", "10.0.0.300 is no IPv4 or IPv6 address"],
    ["net0: 10.0.0.13", "net0: ^10.0.1.13", "10.0.1.13 is not in net0, 10.0.0.0/24"],
    ["net0: 10.0.0.13", "net0: ^10.0.0.12", "10.0.0.12 is pve2's already"],
    ["totem: {", "quorum: { two_node: ^[1] }, totem: {", "cluster.quorum.two_node: a number or a text is allowed"],
    ["nodes:", "^nodes", ""],
  ])("%s -> %s", (from, marked, said) => {
    const text = whole.replace(from, marked);
    const lines = text.slice(0, text.indexOf("^")).split("\n");
    const place = `lab.yaml:${lines.length}:${(lines.at(-1) ?? "").length + 1}: `;
    expect(() => parseLabFile(text.replace("^", ""), "lab.yaml")).toThrow(place + said);
  });

  it.each(["", "- 1", "just words", "quorate: 1", "{", "a: &x [*x, *x]", "\u0000"])("%j", (text) => {
    expect(() => parseLabFile(text, "lab.yaml")).toThrow(/^lab\.yaml:\d+:\d+: \S/);
  });
});

describe("the corosync.conf that a lab file names", () => {
  const text = (conf: string): string =>
    `quorate: 1\nnetworks: { net0: 10.0.0.0/24 }\nnodes: { pve1: { net0: 10.0.0.11 } }\ncluster: { members: [pve1], conf: ${JSON.stringify(conf)} }\n`;
  let dir = "";
  const labFile = (conf: string): string => {
    const path = join(dir, "folder", "lab.yaml");
    writeFileSync(path, text(conf));
    return path;
  };
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "quorate-labfile-"));
    mkdirSync(join(dir, "folder", "below"), { recursive: true });
    for (const name of ["secret", "folder/corosync.conf", "folder/below/corosync.conf"]) writeFileSync(join(dir, name), "totem {\n}\n");
    symlinkSync("../secret", join(dir, "folder", "link"));
    symlinkSync("below/corosync.conf", join(dir, "folder", "good-link"));
    symlinkSync("..", join(dir, "folder", "up"));
    writeFileSync(join(dir, "folder", "large"), Buffer.alloc((1 << 20) + 1, "#\n"));
    if (process.platform !== "win32") spawnSync("mkfifo", [join(dir, "folder", "pipe")]);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it.each(["corosync.conf", "./below/corosync.conf", "below/../corosync.conf", "good-link"])("may be %s", (conf) => {
    expect(confOf(readLabFile(labFile(conf)))).toBe("totem {\n}\n");
  });

  it.each([
    ["/proc/self/environ", "a file beside the lab file or in a folder below it is allowed"],
    ["/etc/passwd", "a file beside the lab file or in a folder below it is allowed"],
    ["../secret", "a file beside the lab file or in a folder below it is allowed"],
    ["below/../../secret", "a file beside the lab file or in a folder below it is allowed"],
    ["link", "a file beside the lab file or in a folder below it is allowed"],
    ["up/secret", "a file beside the lab file or in a folder below it is allowed"],
    ["/dev/zero", "a file beside the lab file or in a folder below it is allowed"],
    ["pipe", "it is a pipe; a corosync.conf is a regular file"],
    ["below", "it is a directory; a corosync.conf is a regular file"],
    ["large", "larger than 1 MiB"],
    ["none", "no such file or directory"],
    ["a\0b", "a path without the character NUL is allowed"],
  ])("may not be %j", (conf, message) => {
    const path = labFile(conf);
    let said = "";
    try {
      readLabFile(path);
    } catch (error) {
      said = error instanceof Error ? error.message : "";
    }
    expect(said).toMatch(/^[^\n]+$/);
    expect(said).toContain(`${path}:4:35: `);
    expect(said).toContain(message);
  });

  it("is never read for a lab file that comes with a record, or that a lab keeps", () => {
    expect(() => parseLabFile(text("corosync.conf"), join(dir, "folder", "lab.yaml"))).toThrow("the text of corosync.conf is allowed here");
  });
});

describe("a file that the person names", () => {
  it.each([
    ["/dev/zero", "it is a device; a corosync.conf is a regular file"],
    ["/dev/null", "it is a device; a corosync.conf is a regular file"],
    ["/", "it is a directory; a corosync.conf is a regular file"],
    ["/nowhere", "no such file or directory"],
  ])("is not %s", (path, message) => {
    if (process.platform !== "win32") expect(() => readInput(path, 100, "a corosync.conf")).toThrow(`read ${path}: ${message}`);
  });

  it("is not larger than it may be, whatever it says of itself", () => {
    const status = "/proc/self/status";
    if (process.platform === "linux") {
      expect(() => readInput(status, 100, "a corosync.conf")).toThrow(`read ${status}: larger than 100 bytes`);
      expect(readInput(status, 1 << 20, "a corosync.conf")).toContain("Pid:");
    }
  });
});

describe("a lab file larger than any lab needs is refused with its place, at once", () => {
  const head = "quorate: 1\nnetworks: { net0: 10.0.0.0/24 }\nnodes:\n";
  const pve1 = `${head}  pve1:\n    net0: 10.0.0.11\n    files:\n`;
  const lines = (count: number, line: (i: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join("");
  it.each([
    [
      "maps in each other",
      `quorate: 1\nname: ${"{a: ".repeat(20_000)}1${"}".repeat(20_000)}\n`,
      "lab.yaml:2:",
      "maps and lists nest at most 64 deep",
    ],
    ["lists in each other", `quorate: 1\nname:\n  ${"- ".repeat(20_000)}1\n`, "lab.yaml:3:", "maps and lists nest at most 64 deep"],
    ["many aliases", `quorate: 1\na: &a x\nb: [${"*a,".repeat(101)}]\n`, "lab.yaml:3:", "a lab file has at most 100 aliases"],
    [
      "aliases of aliases",
      `a0: &a0 [x,x]\n${lines(10, (i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]\n`)}`,
      "lab.yaml:2:",
      "aliases that stand for more than 100 others",
    ],
    ["an alias of nothing", "quorate: 1\nname: *x\n", "lab.yaml:2:7", "Unresolved alias"],
    ["100,000 nodes", head + lines(100_000, (i) => `  pve${i}: { net0: 10.0.0.11 }\n`), "lab.yaml:", "at most 20000 keys and values"],
    ["65 nodes", head + lines(65, (i) => `  pve${i}: { net0: 10.0.0.${i + 1} }\n`), "lab.yaml:3:1", "at most 64 machines, not 65"],
    ["30,000 files", pve1 + lines(30_000, (i) => `      /root/f${i}: "x"\n`), "lab.yaml:", "at most 20000 keys and values"],
    ["1,001 files", pve1 + lines(1001, (i) => `      /root/f${i}: "x"\n`), "lab.yaml:", "at most 1000 files of one machine are allowed"],
    [
      "a path of 1,900 levels",
      `${pve1}      ? "${"/a".repeat(1900)}"\n      : x\n`,
      "lab.yaml:7:9: nodes.pve1.files./",
      "a path of at most 64 names",
    ],
    [
      "a path of 5,000 bytes",
      `${pve1}      ? "/${"a".repeat(200)}${"/b".repeat(2400)}"\n      : x\n`,
      "lab.yaml:7:9: nodes.pve1.files./",
      "a path of less than 4096 bytes",
    ],
    [
      "a name of 256 bytes",
      `${pve1}      ? "/${"ä".repeat(128)}"\n      : x\n`,
      "lab.yaml:7:9: nodes.pve1.files./",
      "names of at most 255 bytes",
    ],
    ["a path with a NUL", `${pve1}      "/a\\0b": x\n`, "lab.yaml:7:7: nodes.pve1.files./", "a path without the character NUL"],
    ["a path that is no text", `${pve1}      "/a\\ud800": x\n`, "lab.yaml:", "well-formed text is allowed"],
    ["a text that is none", `quorate: 1\nname: "\\udfff"\n`, "lab.yaml:2:7", "well-formed text is allowed"],
    ["a key that stands twice", "quorate: 1\nname: a\nname: b\n", "lab.yaml:3:1", "Map keys must be unique"],
    ["5 MiB", `quorate: 1\nname: |\n  ${"x".repeat(5 << 20)}\n`, "lab.yaml:1:1", "a lab file has at most 4 MiB"],
  ])("%s", (_what, text, place, message) => {
    let said = "";
    try {
      parseLabFile(text, "lab.yaml");
    } catch (error) {
      said = error instanceof Error ? error.message : "";
    }
    expect(said).toMatch(/^[^\n]+$/);
    expect(said).toContain(place);
    expect(said).toContain(message);
  });
});
