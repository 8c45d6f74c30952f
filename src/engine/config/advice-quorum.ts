/**
 * The checker's rules about the quorum section beyond the count of votes: options that the daemon switches off or that undo each other, and the pitfalls of a
 * quorum device. Sources: what corosync 3.1.7 logged or kept silent about for each combination, votequorum(5), corosync-qdevice(8).
 */
import type { Finding } from "./finding.ts";
import { nodePositions } from "./links.ts";
import type { ParseOutcome } from "./parse.ts";
import { readQuorum } from "./quorum.ts";
import { parseTieBreaker } from "./tie-breaker.ts";
import { numberOf, stringOf } from "./values.ts";

type Add = (severity: Finding["severity"], code: string, key: string, text: string, mend: string, ...sections: string[]) => void;

const ALGORITHMS = ["ffsplit", "lms", "test", "2nodelms"];

function options({ values }: ParseOutcome, votes: readonly number[], add: Add): void {
  const quorum = readQuorum(values);
  if (quorum.lastManStanding && votes.some((v) => v > 1))
    add(
      "warning",
      "last-man-standing-votes",
      "quorum.last_man_standing",
      "last_man_standing with a node of more than one vote: corosync switches it off when the nodes meet",
      "give every node 1 vote, or remove last_man_standing",
    );
  if (!quorum.lastManStanding && values.has("quorum.last_man_standing_window"))
    add(
      "note",
      "last-man-standing-window",
      "quorum.last_man_standing_window",
      "last_man_standing_window has no meaning without last_man_standing",
      "remove it, or set last_man_standing: 1",
    );
  if (quorum.twoNode && !quorum.waitForAll)
    add(
      "warning",
      "two-node-no-wait",
      "quorum.wait_for_all",
      "two_node with wait_for_all: 0: a node that boots alone is quorate at once, and so is the other",
      "leave wait_for_all out; two_node then sets it",
    );
  if (quorum.allowDownscale)
    add(
      "note",
      "allow-downscale",
      "quorum.allow_downscale",
      "allow_downscale: every clean shutdown lowers the expected votes, a crash does not",
      "remove it unless that is meant",
    );
  const ids = new Set(nodePositions(values).map((p) => String(numberOf(values, `nodelist.node.${p}.nodeid`, "u32") ?? "")));
  const breaker = parseTieBreaker(quorum.autoTieBreakerNode ?? "");
  const missing = breaker?.type === "list" ? breaker.nodes.filter((id) => !ids.has(String(id))) : [];
  if (quorum.autoTieBreaker && missing.length > 0)
    add(
      "warning",
      "tie-breaker-missing",
      "quorum.auto_tie_breaker_node",
      `auto_tie_breaker_node names ${missing.join(", ")}, which is no node id of the nodelist: it never decides`,
      "name node ids of the nodelist, or write lowest",
    );
}

function device({ values }: ParseOutcome, votes: readonly number[], add: Add): void {
  const key = (name: string): string => `quorum.device.${name}`;
  const at = (name: string): [string, ...string[]] => [key(name), "quorum.device", "quorum"];
  const say = (severity: Finding["severity"], code: string, name: string, text: string, mend: string): void => {
    const [first, ...sections] = at(name);
    add(severity, code, first, text, mend, ...sections);
  };
  const present = [...values.keys()].some((k) => k.startsWith("quorum.device."));
  if (!present) return;
  const model = stringOf(values, key("model"));
  if (model === undefined)
    return say("warning", "qdevice-no-model", "votes", "a device section without model: corosync ignores it", "write `model: net`");
  if (model !== "net")
    say("warning", "qdevice-model", "model", `corosync-qdevice knows no model '${model}': its vote never comes`, "write `model: net`");
  if (!stringOf(values, "totem.cluster_name"))
    say(
      "warning",
      "qdevice-cluster-name",
      "model",
      "a quorum device without cluster_name: corosync-qdevice does not start",
      "write the cluster's name in the totem section",
    );
  if (!stringOf(values, key("net.host")))
    say(
      "warning",
      "qdevice-host",
      "net.host",
      "no host for the quorum device: corosync-qdevice does not start",
      "write `host: ADDRESS` of the qnetd server in the net section",
    );
  const tls = stringOf(values, key("net.tls")) ?? "on";
  if (tls === "off")
    say(
      "warning",
      "qdevice-tls",
      "net.tls",
      "tls: off: whoever reaches the server can speak for this cluster",
      "write `tls: on` and set the certificates up",
    );
  else
    say(
      "note",
      "qdevice-certificates",
      "net.tls",
      "tls needs certificates of the server and of the cluster on every node",
      "pvecm qdevice setup, or corosync-qdevice-net-certutil, makes them",
    );
  deviceVotes({ values }, votes, say);
}

function deviceVotes(
  { values }: Pick<ParseOutcome, "values">,
  votes: readonly number[],
  say: (severity: Finding["severity"], code: string, name: string, text: string, mend: string) => void,
): void {
  const algorithm = stringOf(values, "quorum.device.net.algorithm") ?? "ffsplit";
  const given = numberOf(values, "quorum.device.votes", "u32");
  const own = given ?? Math.max(votes.length - 1, 0);
  const sum = votes.reduce((a, b) => a + b, 0);
  if (!ALGORITHMS.includes(algorithm))
    say("warning", "qdevice-algorithm", "net.algorithm", `corosync-qdevice knows no algorithm '${algorithm}'`, "write ffsplit or lms");
  if (given === 0)
    say("warning", "qdevice-votes", "votes", "a quorum device of 0 votes decides nothing", "write `votes: 1`, or remove the device");
  if (algorithm === "ffsplit" && own !== 1)
    say("warning", "qdevice-votes", "votes", `ffsplit with ${own} votes: it is made for exactly 1`, "write `votes: 1`");
  if (algorithm === "ffsplit" && votes.length > 1 && votes.length % 2 === 1)
    say(
      "note",
      "qdevice-odd",
      "net.algorithm",
      `ffsplit with ${votes.length} nodes: an odd cluster gains nothing in a split, and the server's loss costs a vote`,
      "use lms, knowing what it does, or no device",
    );
  if (algorithm === "lms" && given !== undefined && given !== votes.length - 1)
    say(
      "warning",
      "qdevice-votes",
      "votes",
      `lms with ${given} votes: the last node is quorate alone only with ${Math.max(votes.length - 1, 1)}`,
      "leave votes out; it is then one less than the nodes",
    );
  if (numberOf(values, "quorum.wait_for_all", "u8") === 1 && given !== undefined && given > 0 && votes.length > 1)
    say(
      "warning",
      "qdevice-wait-for-all",
      "votes",
      `wait_for_all counts the device's votes: it is over when nodes and device together have ${sum} votes, with ${given === 1 ? "a vote" : `${given} votes`} of the nodes still missing`,
      "do not rely on wait_for_all beside a device with votes of its own",
    );
  if (algorithm !== "lms" && given !== undefined && given > 1 && given >= sum)
    say(
      "warning",
      "qdevice-outvotes",
      "votes",
      `${given} votes against ${sum} of the nodes: without the device nothing is quorate`,
      "write `votes: 1`",
    );
}

export function quorumAdvice(parsed: ParseOutcome, add: Add): void {
  if (readQuorum(parsed.values).provider === undefined) return;
  const votes = nodePositions(parsed.values).map((p) => numberOf(parsed.values, `nodelist.node.${p}.quorum_votes`, "u32") ?? 1);
  options(parsed, votes, add);
  device(parsed, votes, add);
}
