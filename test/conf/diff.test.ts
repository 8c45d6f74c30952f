/** `conf diff`: what differs between two files, and what a reload of running nodes does with it. Effects were seen with corosync 3.1.7, one key at a time. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { diffConf } from "../../src/engine/config/index.ts";
import { conf } from "../../src/main/cli/files.ts";
import { goodConf, replace, withKey } from "./good.ts";

const three = goodConf(3, 2);
const totem = (line: string): string => withKey(three, "totem", line);
const quorum = (line: string): string => withKey(three, "quorum", line);
const link0 = (line: string): string => replace(three, "    linknumber: 0", `    ${line}\n    linknumber: 0`);

const seen = (next: string, old = three): string[] =>
  diffConf(old, next).changes.map((c) => `${c.key}: ${c.old ?? "-"} -> ${c.new ?? "-"} ${c.effect}`);

describe("one key changed", () => {
  test.each([
    ["token", totem("token: 5000"), "totem.token: - -> 5000 live"],
    ["consensus", totem("consensus: 9000"), "totem.consensus: - -> 9000 live"],
    ["knet_mtu", totem("knet_mtu: 1200"), "totem.knet_mtu: - -> 1200 live"],
    ["netmtu", totem("netmtu: 1400"), "totem.netmtu: - -> 1400 restart"],
    ["cluster name", replace(three, "labcluster", "other"), "totem.cluster_name: labcluster -> other restart"],
    ["ip_version", replace(three, "ipv4-6", "ipv4"), "totem.ip_version: ipv4-6 -> ipv4 restart"],
    ["link_mode", replace(three, "passive", "active"), "totem.link_mode: passive -> active restart"],
    ["config_version", replace(three, "config_version: 1", "config_version: 2"), "totem.config_version: 1 -> 2 live"],
    ["encryption", replace(three, "secauth: on", "secauth: off"), "totem.secauth: on -> off live"],
    ["link priority", link0("knet_link_priority: 7"), "totem.interface.0.knet_link_priority: - -> 7 live"],
    ["port", link0("mcastport: 5500"), "totem.interface.0.mcastport: - -> 5500 restart"],
    ["multicast address", link0("mcastaddr: 239.1.1.1"), "totem.interface.0.mcastaddr: - -> 239.1.1.1 none"],
    ["link transport", link0("knet_transport: sctp"), "totem.interface.0.knet_transport: - -> sctp restart"],
    ["expected votes", quorum("expected_votes: 5"), "quorum.expected_votes: - -> 5 live"],
    ["two_node", quorum("two_node: 1"), "quorum.two_node: - -> 1 live"],
    ["wait_for_all", quorum("wait_for_all: 1"), "quorum.wait_for_all: - -> 1 restart"],
    ["auto_tie_breaker", quorum("auto_tie_breaker: 1"), "quorum.auto_tie_breaker: - -> 1 restart"],
    ["provider", replace(three, "corosync_votequorum", "dice"), "quorum.provider: corosync_votequorum -> dice restart"],
    ["debug", replace(three, "debug: off", "debug: on"), "logging.debug: off -> on live"],
    ["a key nobody knows", totem("tokn: 1"), "totem.tokn: - -> 1 none"],
    ["a node's votes", replace(three, "quorum_votes: 1", "quorum_votes: 2", "last"), "nodelist.node.2.quorum_votes: 1 -> 2 live"],
    ["a node's address", replace(three, "10.10.1.3", "10.10.1.33"), "nodelist.node.2.ring1_addr: 10.10.1.3 -> 10.10.1.33 restart"],
    ["a node's name", replace(three, "node3", "other3"), "nodelist.node.2.name: node3 -> other3 live"],
  ])("%s", (_, next, line) => expect(seen(next)).toEqual([line]));
});

describe("the nodelist", () => {
  test("a node more and a node less, live key by key", () => {
    const four = goodConf(4, 2);
    expect(seen(four)).toEqual([
      "nodelist.node.3.name: - -> node4 live",
      "nodelist.node.3.nodeid: - -> 4 live",
      "nodelist.node.3.quorum_votes: - -> 1 live",
      "nodelist.node.3.ring0_addr: - -> 10.10.0.4 live",
      "nodelist.node.3.ring1_addr: - -> 10.10.1.4 live",
    ]);
    expect(seen(three, four).map((l) => l.replace(/^.*: (\S+) -> (\S+) /, "$2 "))).toEqual(Array(5).fill("- live"));
  });

  test("another order is no difference; a second link is made at once", () => {
    const [a, b] = [three.indexOf("  node {\n"), three.lastIndexOf("  node {\n")];
    const end = three.indexOf("}\n\nquorum");
    const turned = three.slice(0, a) + three.slice(b, end) + three.slice(a, b) + three.slice(end);
    expect(seen(turned)).toEqual([]);
    const one = goodConf(3);
    expect(seen(three, one).filter((l) => l.startsWith("nodelist"))).toEqual(
      [1, 2, 3].map((i) => `nodelist.node.${i - 1}.ring1_addr: - -> 10.10.1.${i} live`),
    );
  });

  test("spacing, comments and the order of keys are no difference", () => {
    expect(seen(`# hello\n${three.replaceAll(": ", ":   ")}`)).toEqual([]);
  });
});

describe("quorate conf diff", () => {
  const dir = mkdtempSync(join(tmpdir(), "quorate-diff-"));
  afterEach(() => vi.restoreAllMocks());
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  async function ran(args: string[], json = false): Promise<{ status: number; out: string; err: string }> {
    const said = { out: "", err: "" };
    vi.spyOn(process.stdout, "write").mockImplementation((text) => ((said.out += String(text)), true));
    vi.spyOn(process.stderr, "write").mockImplementation((text) => ((said.err += String(text)), true));
    return { status: await conf(["diff", ...args], { json }), ...said };
  }

  test("grouped by what a reload does, each with its reason", async () => {
    const next = withKey(withKey(totem("token: 5000"), "quorum", "wait_for_all: 1"), "totem", "tokn: 1");
    expect(await ran([file("old", three), file("new", next)])).toEqual({
      status: 0,
      out:
        "Taken by a reload (corosync-cfgtool -R), on every node:\n  totem.token: (not set) -> 5000\n      the timers are computed anew; knet's ping timers follow only at the next reload\n" +
        "Needs a restart:\n  quorum.wait_for_all: (not set) -> 1\n      read when the service is loaded; a reload changes the map and nothing else, without a word\n" +
        "Of no effect:\n  totem.tokn: (not set) -> 1\n      nothing reads it\n",
      err: "",
    });
    expect((await ran([file("old", three), file("new", three)])).out).toBe("no difference that corosync would see\n");
  });

  test("as JSON", async () => {
    const { status, out } = await ran([file("old", three), file("new", totem("token: 5000"))], true);
    expect([status, JSON.parse(out)]).toMatchObject([0, { changes: [{ key: "totem.token", old: null, new: "5000", effect: "live" }] }]);
  });

  test("a file that does not parse: 1 and its places; one that is refused: said, and compared", async () => {
    const broken = await ran([file("old", three), file("new", "garbage\n")]);
    expect([broken.status, broken.out]).toEqual([1, ""]);
    expect(broken.err).toContain(`${join(dir, "new")}:1:1: Line is not opening`);
    const refused = await ran([file("old", three), file("new", replace(three, "nodeid: 2", "nodeid: 1"))]);
    expect(refused.err).toContain("corosync refuses this file, at a reload too: Nodeid 1 appears twice");
    rmSync(dir, { recursive: true, force: true });
  });
});
