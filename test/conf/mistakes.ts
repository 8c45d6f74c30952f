/** The good file with one mistake each, as the recording bad-configs has them: by the title of the step. */
import { goodConf, replace, withKey } from "./good.ts";

export const two = goodConf(2);
export const one = goodConf(1);
const inTotem = (line: string): string => withKey(two, "totem", line);
const inQuorum = (...lines: string[]): string => lines.reduce((text, line) => withKey(text, "quorum", line), two);
const node2 = (from: string, to: string): string => replace(two, from, to, "last");
const without = (line: string): string => replace(two, `${line}\n`, "", "last");
const third = replace(
  two,
  "  }\n}\n\nquorum",
  "  }\n  node {\n    name: node3\n    nodeid: 3\n    quorum_votes: 1\n    ring0_addr: 10.10.0.3\n  }\n}\n\nquorum",
);
const device = (...lines: string[]): string => ["device {", ...lines.map((l) => `  ${l}`), "}"].join("\n  ");
const net = ["model: net", "net {", "  algorithm: ffsplit", "  host: 10.10.0.200", "}"];
const nodelist = /nodelist \{\n[^]*?\n\}\n\n/;
const logging = /logging \{\n[^]*?\n\}\n/;

/** The file of each recorded step, by its title. */
export const FILES: Readonly<Record<string, string>> = {
  "good file, two nodes": two,
  "empty file": "",
  "nodeid missing on node2": without("    nodeid: 2"),
  "nodeid 0": node2("nodeid: 2", "nodeid: 0"),
  "nodeid negative": node2("nodeid: 2", "nodeid: -3"),
  "nodeid not a number": node2("nodeid: 2", "nodeid: two"),
  "nodeid too large (4294967296)": node2("nodeid: 2", "nodeid: 4294967296"),
  "duplicate nodeid": node2("nodeid: 2", "nodeid: 1"),
  "duplicate name": node2("name: node2", "name: node1"),
  "duplicate address": node2("10.10.0.2", "10.10.0.1"),
  "no address": without("    ring0_addr: 10.10.0.2"),
  "ring1_addr only on node1": replace(two, "    ring0_addr: 10.10.0.1\n", "    ring0_addr: 10.10.0.1\n    ring1_addr: 10.10.1.1\n"),
  "ring1 instead of ring0 on both": replace(two, "ring0_addr", "ring1_addr", "all"),
  "host name that does not resolve": node2("10.10.0.2", "nohost.invalid"),
  "local address in no node entry": replace(two, "10.10.0.1", "10.10.0.9"),
  "quorum_votes negative": node2("quorum_votes: 1", "quorum_votes: -1"),
  "quorum_votes not a number": node2("quorum_votes: 1", "quorum_votes: x"),
  "unknown transport": inTotem("transport: carrierpigeon"),
  "udpu with secauth on": inTotem("transport: udpu"),
  "unknown link_mode": replace(two, "passive", "both"),
  "unknown ip_version": replace(two, "ipv4-6", "ipv5"),
  "version 1": replace(two, "  version: 2", "  version: 1"),
  "version missing": without("  version: 2"),
  "token negative": inTotem("token: -1"),
  "token 10 (too small)": inTotem("token: 10"),
  "token not a number": inTotem("token: abc"),
  "consensus smaller than token": withKey(inTotem("consensus: 2000"), "totem", "token: 3000"),
  "consensus 1.1 token": withKey(inTotem("consensus: 3300"), "totem", "token: 3000"),
  "join larger than consensus": inTotem("join: 20000"),
  "window_size 0 / max_messages 600": withKey(inTotem("max_messages: 600"), "totem", "window_size: 600"),
  "unknown key in totem": inTotem("tokn: 3000"),
  "unknown key in quorum": inQuorum("quorumm: 1"),
  "unknown top section": `${two}foo {\n  bar: 1\n}\n\n`,
  "unknown key in node": node2("    name: node2", "    color: red\n    name: node2"),
  "unknown crypto_cipher": inTotem("crypto_cipher: rot13"),
  "unknown crypto_hash": inTotem("crypto_hash: crc"),
  "crypto_cipher without hash": withKey(replace(inTotem("crypto_cipher: aes256"), "  secauth: on\n", ""), "totem", "crypto_hash: none"),
  "linknumber 9": replace(two, "linknumber: 0", "linknumber: 9"),
  "linknumber not a number": replace(two, "linknumber: 0", "linknumber: x"),
  "interface 0 and 1, addresses for 0 only": replace(
    two,
    "    linknumber: 0\n  }\n",
    "    linknumber: 0\n  }\n  interface {\n    linknumber: 1\n  }\n",
  ),
  "config_version negative": replace(two, "config_version: 1", "config_version: -1"),
  "cluster_name missing": without("  cluster_name: labcluster"),
  "nodelist missing": two.replace(nodelist, ""),
  "nodelist empty": two.replace(nodelist, "nodelist {\n}\n\n"),
  "quorum section missing": replace(two, "quorum {\n  provider: corosync_votequorum\n}\n\n", ""),
  "unknown quorum provider": replace(two, "corosync_votequorum", "dice"),
  "quorum without nodelist votes: expected_votes 0": inQuorum("expected_votes: 0"),
  "expected_votes 5 with two nodes": inQuorum("expected_votes: 5"),
  "two_node with three nodes": withKey(third, "quorum", "two_node: 1"),
  "two_node with one node": withKey(one, "quorum", "two_node: 1"),
  "two_node and qdevice": inQuorum("two_node: 1", device(...net, "votes: 1")),
  "two_node and auto_tie_breaker": inQuorum("auto_tie_breaker: 1", "two_node: 1"),
  "auto_tie_breaker_node invalid": inQuorum("auto_tie_breaker: 1", "auto_tie_breaker_node: middle"),
  "auto_tie_breaker with odd number of votes": withKey(third, "quorum", "auto_tie_breaker: 1"),
  "last_man_standing without wait_for_all": inQuorum("last_man_standing: 1"),
  "qdevice without model": inQuorum(device("votes: 1")),
  "qdevice with last_man_standing": inQuorum("last_man_standing: 1", device(...net, "votes: 1")),
  "qdevice votes missing, equal node votes": inQuorum(device(...net)),
  "qdevice votes missing, unequal node votes": replace(inQuorum(device(...net)), "quorum_votes: 1", "quorum_votes: 3"),
  "unknown logging value": replace(one, "to_syslog: yes", "to_syslog: maybe"),
  "unknown debug value": replace(one, "debug: off", "debug: loud"),
  "unclosed section": replace(one, "corosync_votequorum\n}\n\n", "corosync_votequorum\n"),
  "closing brace too many": `${one}}\n`,
  "garbage line without colon": `${one}this is garbage\n`,
  "key without value": `${one}foo:\n`,
  "top-level key": `${one}foo: bar\n`,
  "section twice": `${one}quorum {\n  two_node: 1\n}\n`,
  "comment and blank lines": `# hello\n\n   # indented comment\n${one}`,
  "comment after a value": replace(one, "config_version: 1", "config_version: 1 # one"),
  "brace on its own line": replace(one, "quorum {", "quorum\n{"),
  "binary rubbish": one.replace(logging, "\u0001\u0002\u0003\u0004\n"),
};

/** Steps that are not about a file's content: told by whoever reads it, or by the key (below). */
export const ELSEWHERE = ["no file", "no authkey, then an authkey of 5 bytes", "start a second corosync on the same node"];
