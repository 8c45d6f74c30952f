/** Causes that lie in how votes are counted: a quorum device that gives none, wait_for_all, and nodes whose files do not fit together. */
import type { MachineStatus } from "../../../../engine/kernel/status.ts";
import type { WhyClause } from "../../api.ts";
import { CONF, fileError, readSince } from "./machine-causes.ts";
import { actRef, listed, noticeRef, statusRef, type Cause, type Scene, nothing } from "./scene.ts";

/** The machine that a node's quorum device talks to. */
export function serverOf(scene: Scene, host: string): MachineStatus | undefined {
  return scene.machines.find(({ kind, name, nics }) => kind === "qnetd" && (name === host || nics.some(({ address }) => address === host)));
}

/** Nodes that get no vote of their quorum device, together, by the state in which it is. */
function deviceCauses(scene: Scene): Cause[] {
  const groups = new Map<string, MachineStatus[]>();
  for (const machine of scene.machines) {
    const device = machine.quorum?.qdevice;
    if (machine.power !== "on" || device === null || device === undefined || device.castVote) continue;
    groups.set(device.state, [...(groups.get(device.state) ?? []), machine]);
  }
  return [...groups].map(([state, machines]): Cause => {
    const nodes = machines.map(({ name }) => name);
    const told = machines.flatMap(({ name }) => {
      const notice = scene.record
        .notices(scene.world, name, 0)
        .findLast(({ unit, what }) => unit === "corosync-qdevice" && what === "device");
      return notice === undefined ? [] : [{ name, notice }];
    });
    const [first] = told;
    const noticed: WhyClause[] =
      first === undefined || state === "Connected"
        ? []
        : [{ role: "noticed", text: `The QDevice of ${first.name} did not get through.`, refs: [noticeRef(first.name, first.notice)] }];
    const connected = state === "Connected";
    const since = first !== undefined && !connected ? first.notice.at : scene.now;
    return {
      code: connected ? "qdevice-vote" : "qdevice-away",
      severity: "warning",
      rank: 110,
      nodes,
      since,
      text: connected
        ? `The QDevice gives no vote to ${listed(nodes)}`
        : `The QDevice of ${listed(nodes)} is not connected to qnetd (${state.toLowerCase()})`,
      refs: nodes.map((node) => statusRef(node, "quorum.qdevice", since)),
      stops: nothing,
      noticed,
      fixes: [{ label: "See it", node: nodes[0] ?? "", command: "corosync-qdevice-tool -s" }],
    };
  });
}

function waitingCauses(scene: Scene): Cause[] {
  const waiting = scene.machines.filter(
    ({ power, quorum }) => power === "on" && quorum !== null && quorum.options.waiting && !quorum.quorate,
  );
  if (waiting.length === 0) return [];
  const told = waiting.flatMap(({ name }) => {
    const notice = scene.record.notices(scene.world, name, 0).find(({ what }) => what === "waits-for-all");
    return notice === undefined ? [] : [{ role: "noticed" as const, text: `${name} waits for all.`, refs: [noticeRef(name, notice)] }];
  });
  return [
    {
      code: "wait-for-all",
      severity: "warning",
      rank: 112,
      nodes: waiting.map(({ name }) => name),
      since: scene.now,
      text: "wait_for_all: after a start no node is quorate before all of them were seen together",
      refs: waiting.map(({ name }) => statusRef(name, "quorum.options.waiting", scene.now)),
      stops: nothing,
      noticed: told.slice(0, 1),
      fixes: [],
    },
  ];
}

/** Of a mismatch, whether the nodes do not take each other's packets. */
const APART: ReadonlySet<string> = new Set(["mismatch-authkey", "mismatch-encryption", "mismatch-unlisted", "mismatch-node-id"]);
/** The odd one does not fit with anybody, and the other is named for comparison. */
const ODD_ONE: ReadonlySet<string> = new Set(["mismatch-authkey", "mismatch-encryption"]);

/** Nodes whose files do not fit together. A broken file does not fit with anything: that is said of the file. */
function mismatchCauses(scene: Scene): Cause[] {
  return scene.mismatches
    .filter(({ nodes }) => !nodes.some((node) => fileError(scene, node) !== undefined))
    .map(({ code, severity, text, mend, nodes }): Cause => {
      const file = code === "mismatch-authkey" ? "/etc/corosync/authkey" : CONF;
      const own = scene.record.last(
        ({ act, line }) =>
          act.to === "machine" && nodes.includes(act.machine) && /^(write|remove) /.test(line) && line.includes(file.slice(14)),
      );
      const rejected = nodes.flatMap((node) => {
        const notice = scene.record.notices(scene.world, node, own?.at ?? 0).find(({ what }) => what === "rejected");
        return notice === undefined
          ? []
          : [{ role: "noticed" as const, text: `${node} dropped packets of another.`, refs: [noticeRef(node, notice)] }];
      });
      const read = own?.machine === undefined ? undefined : readSince(scene, own.machine, own);
      const since = own?.at ?? rejected[0]?.refs[0]?.instant ?? scene.now;
      const there = nodes.filter((node) => scene.world.query(node, { kind: "file-stat", path: file }).kind === "stat");
      return {
        code,
        severity,
        rank: 55,
        nodes,
        since,
        text,
        refs: [
          ...[own, read].filter((one) => one !== undefined).map(actRef),
          ...(there.length === 0 ? nodes.map((n) => statusRef(n, "power", since)) : there.map((n) => statusRef(n, file, since))),
        ],
        stops: (a, b) =>
          ODD_ONE.has(code) ? a === nodes[0] || b === nodes[0] : APART.has(code) && (nodes.includes(a) || nodes.includes(b)),
        noticed: APART.has(code) ? rejected.slice(0, 1) : [],
        ...(mend === undefined ? {} : { mend }),
        fixes: [],
      };
    });
}

export function quorumCauses(scene: Scene): Cause[] {
  return [...mismatchCauses(scene), ...deviceCauses(scene), ...waitingCauses(scene)];
}
