/** Random clusters to ask about: up to five nodes, one or two links, votes, expected votes, options. A seed gives one design. */
import { Rng } from "../../src/engine/kernel/index.ts";
import { whatIfDesign } from "../../src/engine/whatif/index.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import type { LabFile } from "../../src/main/lab/file/labfile-schema.ts";

function quorumOptions(rng: Rng, nodes: number): Record<string, number | string> {
  const quorum: Record<string, number | string> = {};
  if (rng.percent(15)) quorum["expected_votes"] = rng.between(1, nodes + 1);
  if (rng.percent(nodes === 2 ? 50 : 5)) quorum["two_node"] = 1;
  if (rng.percent(30)) quorum["wait_for_all"] = rng.pick([0, 1, 1]);
  if (rng.percent(30)) {
    quorum["last_man_standing"] = 1;
    quorum["last_man_standing_window"] = rng.pick([1000, 3000]);
  }
  if (rng.percent(35)) {
    quorum["auto_tie_breaker"] = 1;
    const node = rng.pick(["lowest", "highest", "list", ""]);
    if (node !== "") quorum["auto_tie_breaker_node"] = node === "list" ? `${rng.between(1, nodes)} ${rng.between(1, nodes)}` : node;
  }
  if (rng.percent(10)) quorum["allow_downscale"] = 1;
  return quorum;
}

/** A QDevice with pvecm's votes or others, its arbiter on the first network or on one of its own. */
function withDevice(rng: Rng, lab: LabFile, nodes: number): LabFile {
  const algorithm = rng.pick(["ffsplit", "lms"]);
  const tie = rng.pick(["lowest", "highest", String(rng.between(1, nodes))]);
  const conf = confOf(lab) ?? "";
  const votes = algorithm === "ffsplit" ? 1 : rng.pick([1, nodes - 1]);
  const apart = rng.percent(40);
  const host = apart ? "192.168.1.100" : "10.0.0.100";
  const net = `    algorithm: ${algorithm}\n      host: ${host}\n      tie_breaker: ${tie}\n`;
  const device = `  device {\n    model: net\n    votes: ${votes}\n    net {\n  ${net}    }\n  }\n`;
  const cluster = { name: "lab", qdevice: "qnetd", conf: conf.replace(/^  device \{[^]*?^  \}\n/m, device) };
  return apart ? { ...onOwnNetwork(lab), cluster } : { ...lab, cluster };
}

/** The arbiter's way is a network that carries no link. */
function onOwnNetwork(lab: LabFile): LabFile {
  const nodes = Object.entries(lab.nodes).map(
    ([name, node], i) => [name, { ...node, nets: { ...node.nets, mgmt: `192.168.1.${11 + i}` } }] as const,
  );
  const networks = { ...lab.networks, mgmt: "192.168.1.0/24" };
  return { ...lab, networks, nodes: Object.fromEntries(nodes), qnetd: { qnetd: { nets: { mgmt: "192.168.1.100" } } } };
}

export function randomLab(seed: string): LabFile {
  const rng = Rng.from(seed, "design");
  const nodes = rng.pick([2, 2, 3, 3, 3, 4, 4, 5, 5]);
  const links = rng.pick([1, 2]);
  const qdevice = rng.percent(25);
  const lab = defaultLabFile({ nodes, links, clustered: true, qdevice, name: `what-if ${seed}`, seed, epoch: "2026-01-01T00:00:00Z" });
  if (qdevice) return withDevice(rng, lab, nodes);
  const votes = rng.percent(35) ? Object.fromEntries(Object.keys(lab.nodes).map((name) => [name, rng.pick([0, 1, 1, 1, 2, 3])])) : {};
  const cluster = { name: "lab", links: Object.keys(lab.networks), votes };
  for (;;) {
    const quorum = quorumOptions(rng, nodes);
    const made = { ...lab, cluster: { ...cluster, ...(Object.keys(quorum).length > 0 ? { quorum } : {}) } };
    // Some options exclude each other: the daemon would not start.
    if (whatIfDesign(worldDesign(made)).ok) return made;
  }
}
