/** What one node believes, gathered from its layers into the record that status lines, the page and the checkers read. Computes nothing of its own. */
import type { CorosyncStatus, MachineStatus, QuorumStatus } from "../kernel/index.ts";
import type { Computer } from "../machine/index.ts";
import { ringIdText } from "../totem/types.ts";
import type { Stack } from "./stack.ts";

function corosyncStatus(stack: Stack): CorosyncStatus {
  const config = stack.settings.config;
  const { totem, sync } = stack;
  const gathers = totem.phase !== "operational";
  const members = [...totem.members];
  return {
    nodeId: config.nodeId,
    state: totem.phase,
    ringId: ringIdText(totem.ring),
    members,
    representative: totem.ring.rep,
    links: stack.knet.status(),
    gathering: gathers ? totem.gathering() : { proc: members, failed: [], consensus: [] },
    token: totem.tokenStatus(),
    syncing: !sync.ready,
    nodelist: config.nodes.map((n) => ({ nodeId: n.nodeId, name: n.name, votes: n.votes, addresses: [...n.addresses] })),
  };
}

function quorumStatus(stack: Stack): QuorumStatus | null {
  const view = stack.quorum.view;
  const me = stack.votequorum.info(stack.settings.config.nodeId);
  if (me === undefined) return null;
  return {
    quorate: view.quorate,
    expectedVotes: me.expectedVotes,
    highestExpected: me.highestExpected,
    totalVotes: me.totalVotes,
    quorum: me.quorum,
    flags: [...me.flags],
    qdevice: null,
    votes: stack.votequorum.nodes().map((n) => ({ nodeId: n.nodeId, votes: n.votes, member: n.state === "member" })),
  };
}

export function machineStatus(
  computer: Computer,
  stack: Stack | undefined,
  about: { readonly busy: boolean; readonly worker: MachineStatus["worker"] },
): MachineStatus {
  return {
    name: computer.design.name,
    kind: "node",
    power: computer.powerWord(),
    powerSince: computer.powerSince,
    booting: computer.booting,
    worker: about.worker,
    units: computer.units.states(),
    nics: computer.nics.map((n) => ({ ...n })),
    corosync: stack === undefined ? null : corosyncStatus(stack),
    quorum: stack === undefined || !stack.hasProvider ? null : quorumStatus(stack),
    pmxcfs: null,
    ha: null,
    busy: about.busy,
  };
}
