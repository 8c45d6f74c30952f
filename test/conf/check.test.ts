/**
 * `conf check`: everything the daemon refuses, each with its place, and what it accepts in silence. A finding is shown as `line:column severity code`.
 */
import { describe, expect, test } from "vitest";
import { checkConf } from "../../src/engine/config/index.ts";
import { goodConf, replace, withKey } from "./good.ts";

const three = goodConf(3, 2);

/** The findings about `text`, but for notes. */
function problems(text: string): string[] {
  return checkConf(text)
    .filter((f) => f.severity !== "note")
    .map((f) => `${f.line}:${f.column} ${f.severity} ${f.code}`);
}

function texts(text: string, code: string): string[] {
  return checkConf(text)
    .filter((f) => f.code === code)
    .map((f) => f.text);
}

const totem = (...lines: string[]): string => lines.reduce((text, line) => withKey(text, "totem", line), three);
const quorum = (text: string, ...lines: string[]): string => lines.reduce((t, line) => withKey(t, "quorum", line), text);

const device = (...lines: string[]): string => ["device {", ...lines.map((l) => `  ${l}`), "}"].join("\n  ");
const host = (...lines: string[]): string[] => ["net {", "  host: 10.10.0.200", ...lines.map((l) => `  ${l}`), "}"];

describe("a good file", () => {
  test("three nodes on two links: nothing to say", () => {
    expect(checkConf(three)).toEqual([]);
  });

  test("every finding says how to mend it", () => {
    for (const f of checkConf(`${replace(goodConf(2), "nodeid: 2", "nodeid: 1")}garbage\n`))
      expect([f.text, f.mend].every((t) => t.length > 5)).toBe(true);
  });
});

describe("what the daemon refuses", () => {
  test("all mistakes at once, where it would stop at the first", () => {
    const text = `logging {
  debug: loud
}
nodelist {
  node {
    name: pve1
    nodeid: 1
    ring0_addr: 10.0.0.11
    ring1_addr: 10.1.0.11
  }
  node {
    name: pve2
    nodeid: 1
    ring0_addr: 10.0.0.12
    ring1_addr: 10.1.0.12
  }
  node {
    name: pve3
    nodeid: 0
    ring0_addr: 10.0.0.13
    ring1_addr: 10.1.0.13
  }
}
quorum {
  provider: corosync_votequorum
  expected_votes: many
}
totem {
  cluster_name: lab
  config_version: 3
  secauth: on
  token_retransmit: 10
  join: 5
  link_mode: both
  version: 1
}
garbage
`;
    expect(problems(text)).toEqual([
      "2:10 error invalid-logging",
      "13:13 error duplicate-nodeid",
      "19:13 error missing-nodeid",
      "26:19 error not-a-number",
      "32:21 error timer",
      "33:9 error timer",
      "34:14 error invalid-value",
      "35:12 error version",
      "37:1 error bad-line",
    ]);
  });

  test("an empty file, and one without nodes", () => {
    expect(problems("")[0]).toBe("1:1 error no-nodes");
    expect(problems("totem {\n  version: 2\n  config_version: 1\n  cluster_name: x\n  secauth: on\n}\n")[0]).toBe("1:1 error no-nodes");
  });

  test("an unclosed section is noticed at the end of the file", () => {
    const text = replace(three, "version: 2\n}\n", "version: 2\n");
    expect(problems(text)).toEqual([`${text.split("\n").length - 1}:1 error unbalanced-brace`]);
  });

  test.each([
    ["a comment after config_version", replace(three, "config_version: 1", "config_version: 1 # one"), "1 # one", "not-a-number"],
    ["an address on one node only", replace(three, "    ring1_addr: 10.10.1.3\n", ""), "10.10.1.1", "uneven-links"],
    ["a QDevice and two_node", quorum(three, "two_node: 1", "device {\n    model: net\n  }"), "1\n}\n\ntotem", "quorum-contradiction"],
    ["a cipher without a hash", totem("crypto_hash: none"), "none", "crypto"],
    ["a key nobody can store", totem("a%b: 1"), "a%b", "bad-key-name"],
    [
      "a link that does not exist",
      replace(three, "    ring1_addr: 10.10.1.1\n", "    ring1_addr: 10.10.1.1\n    ring9_addr: 10.9.9.9\n"),
      "10.9.9.9",
      "link-number",
    ],
    ["IPv4 and IPv6 on one link", replace(three, "10.10.1.2", "fd00::2"), "fd00::2", "mixed-families"],
  ])("%s", (_, text, at, code) => {
    const before = text.slice(0, text.indexOf(at)).split("\n");
    const place = `${before.length}:${(before[before.length - 1] ?? "").length + 1}`;
    expect(problems(text)).toContain(`${place} error ${code}`);
  });

  test("a name that is no address is the host's business, not an error", () => {
    expect(problems(replace(three, "10.10.0.2", "pve2.example.com"))).toEqual(["21:17 warning host-name-address"]);
  });
});

describe("what it accepts in silence", () => {
  const cases: [string, string, string][] = [
    ["two nodes of one name", replace(three, "name: node2", "name: node1"), "duplicate-name"],
    ["two nodes at one address", replace(three, "10.10.0.2", "10.10.0.1"), "duplicate-address"],
    [
      "a node without address",
      replace(replace(goodConf(3), "    ring0_addr: 10.10.0.2\n", ""), "10.10.0.3", "10.10.0.3"),
      "node-without-address",
    ],
    ["two_node with three nodes", quorum(three, "two_node: 1"), "two-node-count"],
    ["two_node with two", quorum(goodConf(2, 2), "two_node: 1"), "two-node"],
    ["one link", goodConf(3), "single-link"],
    ["two links in one subnet", replace(three, "10.10.1.2", "10.10.0.22"), "links-in-one-subnet"],
    ["four votes and no QDevice", goodConf(4, 2), "even-votes"],
    ["a comment after a value", replace(three, "labcluster", "labcluster # ours"), "comment-after-value"],
    [
      "an interface no node is on",
      replace(three, "    linknumber: 1\n  }\n", "    linknumber: 1\n  }\n  interface {\n    linknumber: 5\n  }\n"),
      "interface-without-addresses",
    ],
    ["no config_version", replace(three, "  config_version: 1\n", ""), "config-version-missing"],
    ["config_version 0", replace(three, "config_version: 1", "config_version: 0"), "config-version-zero"],
    ["a negative config_version", replace(three, "config_version: 1", "config_version: -1"), "config-version-wrapped"],
    ["consensus of 1.1 token", totem("consensus: 4000"), "consensus"],
    ["a short token", replace(totem("token: 300"), "nodeid: 1", "nodeid: 1"), "token-low"],
    ["a misspelt key", totem("tokn: 3000"), "unknown-key"],
    ["an unknown section", `${three}fencing {\n}\n`, "unknown-section"],
    ["no encryption", replace(three, "  secauth: on\n", ""), "no-encryption"],
    ["no cluster name", replace(three, "  cluster_name: labcluster\n", ""), "cluster-name-missing"],
    ["no quorum provider", replace(three, "  provider: corosync_votequorum\n", ""), "no-quorum-provider"],
    ["expected_votes other than the sum", quorum(three, "expected_votes: 5"), "expected-votes"],
    ["last_man_standing alone", quorum(three, "last_man_standing: 1"), "last-man-standing"],
    ["a tie breaker nobody is", quorum(goodConf(4, 2), "auto_tie_breaker: 1", "auto_tie_breaker_node: middle"), "tie-breaker-node"],
    ["a node with most votes", replace(three, "quorum_votes: 1", "quorum_votes: 5"), "one-node-majority"],
    ["a node without votes", replace(three, "quorum_votes: 1", "quorum_votes: 0"), "zero-votes"],
    ["a second nodelist", `${three}nodelist {\n}\n`, "second-nodelist"],
    ["a second quorum section", `${three}quorum {\n}\n`, "repeated-section"],
    ["a key twice", totem("version: 2"), "repeated-key"],
    ["a key outside every section", `${three}token: 5000\n`, "stray-key"],
    ["a number by its dotted name", `${three}totem.token: 5000\n`, "mistyped-key"],
    ["ping timers upside down", replace(three, "linknumber: 1", "knet_ping_timeout: 100\n    linknumber: 1"), "ping-timers"],
    ["the port of another", replace(three, "linknumber: 1", "linknumber: 1\n    mcastport: 7000"), "custom-port"],
    ["debug logging", replace(three, "debug: off", "debug: on"), "debug-on"],
    ["the old transport", replace(totem("transport: udpu"), "  secauth: on\n", ""), "old-transport"],
    [
      "last_man_standing with two votes",
      quorum(replace(three, "quorum_votes: 1", "quorum_votes: 2"), "last_man_standing: 1"),
      "last-man-standing-votes",
    ],
    ["a window without last_man_standing", quorum(three, "last_man_standing_window: 5000"), "last-man-standing-window"],
    ["two_node that does not wait", quorum(goodConf(2, 2), "two_node: 1", "wait_for_all: 0"), "two-node-no-wait"],
    ["allow_downscale", quorum(three, "allow_downscale: 1"), "allow-downscale"],
    ["a tie breaker that is no node", quorum(goodConf(4, 2), "auto_tie_breaker: 1", "auto_tie_breaker_node: 2 9"), "tie-breaker-missing"],
    ["a device without model", quorum(three, "device {\n    votes: 1\n  }"), "qdevice-no-model"],
    ["a device of another model", quorum(three, device("model: disk", "votes: 1")), "qdevice-model"],
    [
      "a device and no cluster name",
      replace(quorum(three, device("model: net")), "  cluster_name: labcluster\n", ""),
      "qdevice-cluster-name",
    ],
    ["a device without host", quorum(three, device("model: net", "votes: 1")), "qdevice-host"],
    ["a device without encryption", quorum(three, device("model: net", ...host("tls: off"))), "qdevice-tls"],
    ["a device with encryption", quorum(three, device("model: net", ...host())), "qdevice-certificates"],
    ["an unknown algorithm", quorum(three, device("model: net", ...host("algorithm: dice"))), "qdevice-algorithm"],
    ["ffsplit with two votes", quorum(goodConf(4, 2), device("model: net", ...host("algorithm: ffsplit"), "votes: 2")), "qdevice-votes"],
    ["ffsplit and three nodes", quorum(three, device("model: net", ...host("algorithm: ffsplit"), "votes: 1")), "qdevice-odd"],
    ["lms with one vote", quorum(three, device("model: net", ...host("algorithm: lms"), "votes: 1")), "qdevice-votes"],
    [
      "a device whose vote ends the waiting for all",
      quorum(three, `wait_for_all: 1\n${device("model: net", ...host("algorithm: ffsplit"), "votes: 1")}`),
      "qdevice-wait-for-all",
    ],
    ["a device that outvotes all", quorum(three, device("model: net", ...host("algorithm: test"), "votes: 3")), "qdevice-outvotes"],
    ["a loopback address", replace(three, "10.10.0.2", "127.0.1.1"), "loopback-address"],
    ["redundant rings of corosync 2", totem("rrp_mode: passive"), "rrp-leftover"],
    ["more messages than the window", totem("max_messages: 100"), "window"],
    ["the ring's heartbeat", totem("heartbeat_failures_allowed: 2"), "lab-refuses"],
  ];
  test.each(cases)("%s", (_, text, code) => {
    expect(texts(text, code).length).toBeGreaterThan(0);
    expect(texts(three, code)).toEqual([]);
  });

  test("keys of the UDP transports: bind and multicast address, port and ttl", () => {
    const old = replace(
      goodConf(1),
      "    linknumber: 0\n",
      "    linknumber: 0\n    bindnetaddr: 10.10.0.0\n    mcastaddr: 239.255.0.1\n    mcastport: 5405\n    ttl: 1\n",
    );
    expect(checkConf(old).filter((f) => f.code === "inert-key")).toHaveLength(4);
    expect(checkConf(old).filter((f) => f.severity === "error")).toEqual([]);
  });
});

describe("what cannot work though corosync takes it", () => {
  const at = (text: string, code: string): string[] =>
    checkConf(text)
      .filter((f) => f.code === code)
      .map((f) => `${f.line} ${f.text}`);
  const short = (...lines: string[]): string => totem("token_coefficient: 0", ...lines);

  test("a token so short that knet's ping timeout is below what its thread can tell", () => {
    const [finding = ""] = at(short("token: 200"), "ping-timeout-low");
    expect(finding).toContain(
      "a token of 200 ms makes knet's ping timeout 100 ms (over 2 pongs), which is below the 200 ms in which its thread wakes",
    );
    expect(at(short("token: 399"), "ping-timeout-low")).toHaveLength(1);
    expect(at(short("token: 400"), "ping-timeout-low")).toEqual([]);
    // The effective token counts: 200 ms and 650 ms for each node beyond two.
    expect(at(totem("token: 200"), "ping-timeout-low")).toEqual([]);
  });

  test("a ping timeout of a link, where the file has it", () => {
    const link = replace(short("token: 200"), "linknumber: 1", "knet_ping_timeout: 199\n    linknumber: 1");
    expect(at(link, "ping-timeout-low").map((text) => text.replace(/^\d+ /, "").slice(0, 40))).toEqual([
      "link 1: knet's ping timeout of 199 ms is",
      "a token of 200 ms makes knet's ping time",
    ]);
  });

  test("an address outside the network that the others of its link share", () => {
    const odd = replace(three, "10.10.1.2", "10.10.9.2");
    expect(texts(odd, "link-in-two-subnets")).toEqual([
      "link 1: 10.10.9.2 is not in 10.10.1.0/24 like 10.10.1.1: unless the network is wider, the two meet through a router or not at all",
    ]);
    expect(texts(three, "link-in-two-subnets")).toEqual([]);
  });
});
