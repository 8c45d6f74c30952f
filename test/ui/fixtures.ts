/** Snapshots to draw: the states a lab can be in, written down by hand. The page must show each truthfully without any lab behind it. */
import type { Band, Component, JournalLine, LabSnapshot, MachineView } from "../../src/main/lab/api.ts";

const now = 161_318_000;
const names = (n: number): string[] => Array.from({ length: n }, (_, index) => `pve${index + 1}`);
const ids = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);
const address = (net: number, node: number): string => (net === 0 ? `10.0.0.${10 + node}` : `10.10.${net}.${10 + node}`);

const noOptions: NonNullable<MachineView["quorum"]>["options"] = {
  twoNode: false,
  waitForAll: false,
  waiting: false,
  lastManStanding: false,
  windowMs: 10_000,
  windowEnds: null,
  tieBreaker: "none",
  tieBreakerNodes: [],
  allowDownscale: false,
  tracking: false,
};

interface Ring {
  ringId: string;
  members: number[];
  quorate: boolean;
}

/** A node that runs in a ring with others. */
function machine(
  id: number,
  all: number,
  nets: number,
  ring: Ring,
  down: (to: number, link: number) => boolean = () => false,
): MachineView {
  const links = ids(all)
    .filter((to) => to !== id)
    .flatMap((to) =>
      Array.from({ length: nets }, (_, link) => {
        const connected = !down(to, link);
        const better = Array.from({ length: link }, (_unused, other) => other).some((other) => !down(to, other));
        return {
          to,
          link,
          connected,
          active: connected && !better,
          latencyUs: connected ? 410 + 90 * link : 0,
          localAddress: address(link, id),
          remoteAddress: address(link, to),
          mtu: connected ? 1397 : 0,
          priority: 1,
          pongs: 0,
          pongsNeeded: 3,
          latencyLastUs: connected ? 410 + 90 * link : 0,
        };
      }),
    );
  const representative = Math.min(...ring.members);
  return {
    name: `pve${id}`,
    kind: "node",
    power: "on",
    powerSince: 3_000_000,
    booting: false,
    worker: "alive",
    units: { corosync: "active", "pve-cluster": "active", ssh: "active" },
    nics: Array.from({ length: nets }, (_, net) => ({
      name: `eno${net + 1}`,
      net: `net${net}`,
      address: address(net, id),
      up: true,
      mtu: 1500,
    })),
    corosync: {
      nodeId: id,
      state: "operational",
      ringId: ring.ringId,
      members: ring.members,
      representative,
      links,
      gathering: { proc: ring.members, failed: [], consensus: ring.members },
      token: {
        here: id === representative,
        ...(id === representative ? { heldUntil: now + 320_000 } : {}),
        lastReceived: now - 140_000,
        rotations: 1204,
        retransmits: 0,
        slowestRotationUs: 14_900,
        meanRotationUs: 580_000,
        tokenTimeoutMs: 3125,
        consensusMs: 3750,
        holdMs: 585,
        tokenRetransmitMs: 744,
      },
      syncing: false,
      timers: { token: now - 140_000 + 3_125_000, consensus: null, join: null },
      nodelist: ids(all).map((nodeId) => ({
        nodeId,
        name: `pve${nodeId}`,
        votes: 1,
        addresses: Array.from({ length: nets }, (_, net) => address(net, nodeId)),
      })),
    },
    quorum: {
      quorate: ring.quorate,
      expectedVotes: all,
      highestExpected: all,
      totalVotes: ring.members.length,
      quorum: Math.floor(all / 2) + 1,
      flags: ring.quorate ? ["Quorate"] : [],
      qdevice: null,
      options: noOptions,
      votes: ids(all).map((nodeId) => ({ nodeId, votes: 1, member: ring.members.includes(nodeId) })),
    },
    qnetd: null,
    pmxcfs: null,
    ha: null,
    disk: { state: "ok", commitUs: 0, busyUntil: null },
    busy: false,
    upSince: 3_000_000,
  };
}

function component(letter: string, ring: Ring, all: number, formed = true, nodes = ring.members.map((id) => `pve${id}`)): Component {
  const quorum = Math.floor(all / 2) + 1;
  const votes = ring.members.length;
  const mayLose = Math.max(0, votes - quorum);
  return {
    letter,
    ringId: ring.ringId,
    formed,
    nodes,
    members: ring.members,
    quorate: ring.quorate,
    votes,
    expectedVotes: all,
    quorum,
    mayLose,
    sentence: ring.quorate
      ? `${votes} of ${all} votes, ${quorum} needed, quorate; may lose ${mayLose} more`
      : `${votes} of ${all} votes, ${quorum} needed, not quorate; ${quorum - votes} short`,
    cells: ids(all).map((nodeId) => ({ node: `pve${nodeId}`, nodeId, votes: 1, present: ring.members.includes(nodeId), device: false })),
    notes: [],
    key: formed ? `ring ${ring.ringId}` : `node ${nodes.join()}`,
    settled: true,
  };
}

const band = (node: string, from: number, to: number | null, ring: Ring, letter: string, state: Band["state"] = "operational"): Band => ({
  node,
  from,
  to,
  ringId: ring.ringId,
  members: ring.members,
  state,
  quorate: ring.quorate,
  letter,
  count: 1,
});

/** `n` nodes on `nets` networks in one quorate ring. */
export function healthy(n = 3, nets = 2): LabSnapshot {
  const ring: Ring = { ringId: "1.12", members: ids(n), quorate: true };
  const before: Ring = { ringId: "1.e", members: ids(n).slice(0, -1), quorate: true };
  return {
    lab: { dir: "/home/me/.local/state/quorate/default", name: "lab", seed: "7f3a", host: "inprocess", version: "0.1.0" },
    time: { instant: now, epoch: "2026-01-01T00:00:00Z", speed: 1, paused: false, achieved: 1 },
    networks: Array.from({ length: nets }, (_, net) => ({
      name: `net${net}`,
      cidr: net === 0 ? "10.0.0.0/24" : `10.10.${net}.0/24`,
      on: true,
      link: net,
    })),
    nodes: ids(n).map((id) => machine(id, n, nets, ring)),
    cables: names(n).flatMap((node, index) =>
      Array.from({ length: nets }, (_, net) => ({
        node,
        net: `net${net}`,
        nic: `eno${net + 1}`,
        address: address(net, index + 1),
        cutIn: false,
        cutOut: false,
        delayMs: 0,
        jitterMs: 0,
        lossPercent: 0,
        rateMbit: null,
        mtuBytes: 1500,
        state: net === 0 ? ("carrying" as const) : ("idle" as const),
      })),
    ),
    pairCuts: [],
    faults: [],
    components: [component("A", ring, n)],
    margin: 210,
    problems: [],
    mismatches: [],
    bands: names(n).flatMap((node, index) => [
      ...(index < n - 1 ? [band(node, 124_000_000, 137_400_000, before, "A")] : []),
      band(node, 137_500_000, null, ring, "A"),
    ]),
    marks: [{ instant: 133_000_000, kind: "act", text: "node start pve3" }],
    undo: null,
    motion: { onChange: false, slowSpeed: 0.01, eased: false, skipped: null },
    tokens: [{ ringId: "1.12", state: "rests", node: "pve1", to: null, due: null, heldUntil: now + 320_000, rate: 1.7 }],
    forming: [],
    why: [],
    history: { changes: 1, tasks: 1, begins: 0 },
  };
}

function cutCable(snapshot: LabSnapshot, node: string, net: string, cut: { in: boolean; out: boolean }): void {
  for (const cable of snapshot.cables)
    if (cable.node === node && cable.net === net) {
      cable.cutIn = cut.in;
      cable.cutOut = cut.out;
      cable.state = "silent";
    }
  const direction = cut.in && cut.out ? "both" : cut.in ? "in" : "out";
  snapshot.faults.push({ kind: "cut", node, net, direction });
}

/** pve3 apart: link 0 cut both ways, link 1 inwards. */
export function partition(): LabSnapshot {
  const snapshot = healthy();
  const a: Ring = { ringId: "1.16", members: [1, 2], quorate: true };
  const b: Ring = { ringId: "3.16", members: [3], quorate: false };
  snapshot.time = { ...snapshot.time, instant: 187_412_000, speed: 1 };
  snapshot.nodes = [machine(1, 3, 2, a, (to) => to === 3), machine(2, 3, 2, a, (to) => to === 3), machine(3, 3, 2, b, () => true)];
  cutCable(snapshot, "pve3", "net0", { in: true, out: true });
  cutCable(snapshot, "pve3", "net1", { in: true, out: false });
  snapshot.components = [component("A", a, 3), component("B", b, 3)];
  snapshot.tokens = [a, b].map(({ ringId, members: [first] }) => ({
    ...{ ringId, state: "rests" as const, node: `pve${first}`, to: null, due: null, heldUntil: 187_700_000, rate: 1.7 },
  }));
  snapshot.problems = [
    {
      severity: "error",
      code: "not-quorate",
      text: "1 of 3 votes, 2 needed: activity is blocked",
      node: "pve3",
      mend: "heal a cable of pve3",
    },
    { severity: "warning", code: "link-down", text: "links 0 and 1 to pve1 and pve2 are down", node: "pve3" },
  ];
  const old: Ring = { ringId: "1.12", members: [1, 2, 3], quorate: true };
  snapshot.bands = names(3).flatMap((node, index) => [
    band(node, 137_500_000, 167_900_000, old, "A"),
    band(node, 167_900_000, 171_761_000, old, "A", "gather"),
    band(node, 171_761_000, null, index < 2 ? a : b, index < 2 ? "A" : "B"),
  ]);
  snapshot.marks = [
    { instant: 164_700_000, kind: "act", text: "link cut pve3:net0" },
    { instant: 164_800_000, kind: "act", text: "link cut pve3:net1 --direction in" },
    { instant: 171_761_000, kind: "event", text: "membership" },
  ];
  snapshot.undo = "link cut pve3:net1 --direction in";
  const cut = { kind: "act" as const, instant: 164_700_000, what: "link cut pve3:net0" };
  const heal = { label: "Heal its cables", act: "link heal pve3" };
  snapshot.why = [
    {
      id: "not-quorate pve3",
      code: "not-quorate",
      severity: "error",
      title: "Why is pve3 not quorate?",
      text: "The cables pve3:net0 and pve3:net1 (in: cut, out: passes) are cut. pve3 has 1 of 3 votes and needs 2: not quorate.",
      nodes: ["pve3"],
      since: 164_800_000,
      clauses: [
        { role: "cause", text: "The cables pve3:net0 and pve3:net1 (in: cut, out: passes) are cut.", refs: [cut] },
        {
          role: "noticed",
          text: "pve1 has no link left to pve3.",
          refs: [{ kind: "journal", node: "pve1", instant: 167_100_000, what: "host: host: 3 has no active links" }],
        },
        {
          role: "means",
          text: "pve3 has 1 of 3 votes and needs 2: not quorate.",
          refs: [{ kind: "status", node: "pve3", instant: 187_412_000, what: "quorum" }],
        },
        { role: "do", text: heal.label, refs: [cut], fix: heal },
      ],
    },
  ];
  return snapshot;
}

/** The moment between two rings: each node has its own belief. */
export function gather(): LabSnapshot {
  const snapshot = partition();
  const old: Ring = { ringId: "1.12", members: [1, 2, 3], quorate: true };
  snapshot.time = { ...snapshot.time, instant: 171_753_000, speed: 0.01, paused: true };
  const beliefs = [[1, 2], [1, 2, 3], [3]];
  snapshot.nodes = [1, 2, 3].map((id) => {
    const one = machine(id, 3, 2, old, (to) => to === 3 || id === 3);
    if (one.corosync !== null) {
      one.corosync.state = "gather";
      one.corosync.gathering = { proc: [1, 2, 3], failed: [1, 2, 3].filter((other) => !beliefs[id - 1]?.includes(other)), consensus: [id] };
      one.corosync.token.here = false;
    }
    return one;
  });
  snapshot.components = beliefs.map((members, index) =>
    component("ABC"[index] ?? "D", { ringId: old.ringId, members, quorate: false }, 3, false, [`pve${index + 1}`]),
  );
  snapshot.bands = names(3).flatMap((node) => [
    band(node, 137_500_000, 167_900_000, old, "A"),
    band(node, 167_900_000, null, old, "A", "gather"),
  ]);
  snapshot.margin = null;
  snapshot.tokens = [];
  snapshot.forming = [["pve1", "pve2"], ["pve3"]];
  const believes = (node: string, text: string): LabSnapshot["why"][number]["clauses"][number] => ({
    role: "means",
    text,
    refs: [{ kind: "status", node, instant: 171_753_000, what: "corosync.gathering" }],
  });
  snapshot.why = [
    {
      id: "gather",
      code: "gather",
      severity: "note",
      title: "Gather: no ring now",
      text: "pve1 would form a ring of pve1 and pve2. pve2 would form a ring of pve1, pve2 and pve3. pve3 sees only itself.",
      nodes: names(3),
      since: 167_900_000,
      clauses: [
        believes("pve1", "pve1 would form a ring of pve1 and pve2."),
        believes("pve2", "pve2 would form a ring of pve1, pve2 and pve3."),
        believes("pve3", "pve3 sees only itself."),
      ],
    },
  ];
  return snapshot;
}

/** pve2 was killed; corosync failed on pve3 of four nodes. */
export function broken(): LabSnapshot {
  const snapshot = healthy(4);
  const ring: Ring = { ringId: "1.1a", members: [1, 4], quorate: false };
  const away = (to: number): boolean => to === 2 || to === 3;
  snapshot.nodes = [machine(1, 4, 2, ring, away), machine(2, 4, 2, ring), machine(3, 4, 2, ring), machine(4, 4, 2, ring, away)];
  const [, off, failed] = snapshot.nodes;
  if (off !== undefined)
    Object.assign(off, {
      power: "off",
      powerSince: 151_000_000,
      corosync: null,
      quorum: null,
      units: { corosync: "inactive", ssh: "inactive" },
    });
  if (failed !== undefined) Object.assign(failed, { corosync: null, quorum: null, units: { corosync: "failed", ssh: "active" } });
  for (const cable of snapshot.cables) {
    if (cable.node === "pve2") cable.state = "down";
    if (cable.node === "pve3") cable.state = "unused";
  }
  snapshot.components = [component("A", ring, 4)];
  snapshot.problems = [
    {
      severity: "error",
      code: "unit-failed",
      text: "corosync failed to start",
      node: "pve3",
      mend: "systemctl start corosync",
      line: 4,
      column: 3,
    },
    { severity: "error", code: "not-quorate", text: "2 of 4 votes, 3 needed: activity is blocked", node: "pve1" },
    { severity: "note", code: "off", text: "powered off", node: "pve2" },
  ];
  snapshot.bands = names(4).flatMap((node, index) =>
    index === 1
      ? [band(node, 137_500_000, 151_000_000, { ...ring, quorate: true }, "A"), band(node, 151_000_000, null, ring, "A", "off")]
      : index === 2
        ? [band(node, 137_500_000, 152_000_000, ring, "A"), band(node, 152_000_000, null, ring, "A", "stopped")]
        : [band(node, 137_500_000, null, ring, "A")],
  );
  return snapshot;
}

/** Sixteen nodes, one off, one cable cut, one cut one way. */
export function sixteen(): LabSnapshot {
  const snapshot = healthy(16);
  const members = ids(16).filter((id) => id !== 9);
  const ring: Ring = { ringId: "1.4c", members, quorate: true };
  snapshot.lab.name = "sixteen";
  snapshot.nodes = ids(16).map((id) => machine(id, 16, 2, ring));
  const off = snapshot.nodes[8];
  if (off !== undefined)
    Object.assign(off, { power: "off", powerSince: 102_000_000, corosync: null, quorum: null, units: { corosync: "inactive" } });
  for (const cable of snapshot.cables) if (cable.node === "pve9") cable.state = "down";
  cutCable(snapshot, "pve12", "net1", { in: true, out: true });
  cutCable(snapshot, "pve5", "net0", { in: true, out: false });
  snapshot.components = [component("A", ring, 16)];
  snapshot.tokens = snapshot.tokens.map((token) => ({ ...token, ringId: ring.ringId }));
  return snapshot;
}

type Qdevice = NonNullable<NonNullable<MachineView["quorum"]>["qdevice"]>;

function device(node: MachineView, has: Partial<Qdevice>): void {
  if (node.quorum === null) return;
  const whole: Qdevice = {
    model: "net",
    algorithm: "ffsplit",
    host: "10.0.0.100",
    votes: 1,
    timeoutMs: 10_000,
    registered: true,
    alive: true,
    castVote: true,
    masterWins: false,
    state: "Connected",
    lastPoll: now - 4_000_000,
    ...has,
  };
  node.quorum.qdevice = whole;
  node.quorum.flags.push("Qdevice");
  node.quorum.expectedVotes += whole.votes;
  node.quorum.highestExpected += whole.votes;
  node.quorum.totalVotes += whole.castVote ? whole.votes : 0;
  node.quorum.quorum = Math.floor(node.quorum.expectedVotes / 2) + 1;
  node.quorum.quorate = node.quorum.totalVotes >= node.quorum.quorum;
}

function counted(one: Component, votes: number, gives: boolean): void {
  one.cells.push({ node: "QDevice", nodeId: 0, votes, present: gives, device: true });
  one.expectedVotes += votes;
  one.votes += gives ? votes : 0;
  one.quorum = Math.floor(one.expectedVotes / 2) + 1;
  one.quorate = one.votes >= one.quorum;
  one.mayLose = Math.max(0, one.votes - one.quorum);
  const own = gives ? ` (${votes} of the QDevice)` : "";
  const end = one.quorate ? `quorate; may lose ${one.mayLose} more` : "not quorate";
  one.sentence = `${one.votes} of ${one.expectedVotes} votes${own}, ${one.quorum} needed, ${end}`;
}

/** The host of the device, on net0. `clients`: node ids that are connected, and whom it votes for. */
function witness(snapshot: LabSnapshot, clients: readonly number[], holders: readonly number[]): void {
  const { nodes, cables } = snapshot;
  const pattern = nodes[0];
  if (pattern === undefined) return;
  nodes.push({
    ...pattern,
    name: "qnetd",
    kind: "qnetd",
    units: { "corosync-qnetd": "active", ssh: "active" },
    nics: [{ name: "eno1", net: "net0", address: "10.0.0.100", up: true, mtu: 1500 }],
    corosync: null,
    quorum: null,
    qnetd: {
      clusters: [
        {
          name: "lab",
          algorithm: "ffsplit",
          clients: clients.map((nodeId) => {
            const ring = nodes.find((one) => one.corosync?.nodeId === nodeId)?.corosync;
            return {
              nodeId,
              address: address(0, nodeId),
              ringId: ring?.ringId ?? "",
              members: [...(ring?.members ?? [])],
              vote: holders.includes(nodeId) ? "ACK" : "NACK",
              connected: true,
            };
          }),
          holders: [...holders],
          lastDecision: { instant: now - 21_000_000, winners: [...holders] },
        },
      ],
    },
  });
  const first = cables[0];
  if (first !== undefined) cables.push({ ...first, node: "qnetd", net: "net0", nic: "eno1", address: "10.0.0.100", state: "carrying" });
}

/** Four nodes and a QDevice: five votes. */
export function witnessed(): LabSnapshot {
  const snapshot = healthy(4);
  for (const node of snapshot.nodes) device(node, {});
  for (const one of snapshot.components) counted(one, 1, true);
  witness(snapshot, ids(4), ids(4));
  return snapshot;
}

/** The same in halves: the device votes for the half with node 1, and pve4 does not reach it. */
export function witnessedSplit(): LabSnapshot {
  const snapshot = healthy(4);
  const a: Ring = { ringId: "1.1a", members: [1, 2], quorate: true };
  const b: Ring = { ringId: "3.1a", members: [3, 4], quorate: false };
  snapshot.nodes = ids(4).map((id) => machine(id, 4, 2, id < 3 ? a : b, (to) => to < 3 !== id < 3));
  snapshot.nodes.forEach((node, index) => {
    if (index < 2) device(node, {});
    else device(node, { castVote: false, ...(index === 3 ? { alive: false, state: "Connect failed" } : {}) });
  });
  const [first, second] = [component("A", a, 4), component("B", b, 4)];
  counted(first, 1, true);
  counted(second, 1, false);
  second.notes = [{ key: "QDevice", text: "gives this side no vote", tone: "warn" }];
  snapshot.components = [first, second];
  snapshot.pairCuts = [1, 2].flatMap((from) =>
    [3, 4].flatMap((to) => [
      { net: "net0", from: `pve${from}`, to: `pve${to}` },
      { net: "net0", from: `pve${to}`, to: `pve${from}` },
    ]),
  );
  snapshot.faults = [
    {
      kind: "partition",
      groups: [
        ["pve1", "pve2"],
        ["pve3", "pve4"],
      ],
    },
  ];
  witness(snapshot, [1, 2, 3], [1, 2]);
  return snapshot;
}

/** Options of the quorum section where they decide, and nodes that do not fit together. */
export function optioned(): LabSnapshot {
  const snapshot = healthy(4, 1);
  const ring: Ring = { ringId: "1.8", members: [1, 3], quorate: false };
  for (const node of snapshot.nodes)
    if (node.quorum !== null)
      node.quorum.options = {
        ...noOptions,
        waitForAll: true,
        waiting: true,
        tieBreaker: "lowest",
        tieBreakerNodes: [1],
        lastManStanding: true,
        windowEnds: now + 6_200_000,
      };
  const one = component("A", ring, 4);
  one.notes = [
    { key: "wait_for_all", text: "waits for all: 2 of 4 seen", tone: "warn" },
    { key: "auto_tie_breaker", text: "an even split, and the side with node 1 (pve1) goes on, not this one", tone: "plain" },
  ];
  snapshot.components = [one];
  snapshot.mismatches = [
    { kind: "authkey", nodes: ["pve4", "pve1"], text: "pve4's authkey differs from pve1's: neither takes the other's packets" },
    { kind: "token", nodes: ["pve2", "pve1"], text: "token differs: 5000 ms on pve2, 3000 ms on pve1; each goes by its own" },
  ];
  snapshot.problems = snapshot.mismatches.map(({ kind, nodes: [node], text }) => ({
    severity: "error",
    code: `mismatch-${kind}`,
    text,
    ...(node === undefined ? {} : { node }),
  }));
  return snapshot;
}

/** A lab of which everything was taken away. */
export function empty(): LabSnapshot {
  const snapshot = healthy();
  return { ...snapshot, nodes: [], cables: [], components: [], bands: [], margin: null, undo: "pve1 removed" };
}

/** Sixteen nodes with a host of a QDevice in the corner. */
export function sixteenWitnessed(): LabSnapshot {
  const snapshot = sixteen();
  for (const node of snapshot.nodes) device(node, {});
  for (const one of snapshot.components) counted(one, 1, true);
  const members = ids(16).filter((id) => id !== 9);
  witness(snapshot, members, members);
  return snapshot;
}

/** The nodes of a cluster that no one called pve1. */
export const realNames = ["hv-a01", "hv-a02", "hv-b01", "hv-b02", "hv-witness-long-name"];

/** The same lab with other names: pve1 is the first of them, and so on. */
export function renamed(snapshot: LabSnapshot, to: readonly string[]): LabSnapshot {
  const text = JSON.stringify(snapshot).replace(/\bpve(\d+)\b/g, (old, id: string) => to[Number(id) - 1] ?? old);
  return JSON.parse(text) as LabSnapshot;
}

/** A partition act in force: a ring for each group of node ids. */
export function split(n: number, groups: readonly (readonly number[])[], nets = 2): LabSnapshot {
  const snapshot = healthy(n, nets);
  const rings = groups.map((members): Ring => ({
    ringId: `${Math.min(...members)}.1c`,
    members: [...members],
    quorate: members.length * 2 > n,
  }));
  const ringOf = (id: number): Ring | undefined => rings.find(({ members }) => members.includes(id));
  snapshot.nodes = ids(n).flatMap((id) => {
    const ring = ringOf(id);
    return ring === undefined ? [] : [machine(id, n, nets, ring, (to) => !ring.members.includes(to))];
  });
  for (const cable of snapshot.cables) if (ringOf(Number(cable.node.slice(3)))?.members.length === 1) cable.state = "silent";
  snapshot.components = rings
    .map((ring, index) => component("ABCDEFGH"[index] ?? "Z", ring, n))
    .sort((a, b) => b.votes - a.votes || (a.letter < b.letter ? -1 : 1));
  snapshot.faults = [{ kind: "partition", groups: groups.map((group) => group.map((id) => `pve${id}`)) }];
  snapshot.bands = rings.flatMap((ring, index) =>
    ring.members.map((id) => band(`pve${id}`, 137_500_000, null, ring, "ABCDEFGH"[index] ?? "Z")),
  );
  snapshot.undo = "partition";
  const away = rings.filter(({ quorate }) => !quorate).flatMap(({ members }) => members.map((id) => `pve${id}`));
  const who = away.length > 3 ? `${away.length} nodes` : away.join(" and ");
  const act = { kind: "act" as const, instant: 164_700_000, what: "partition" };
  const means = `${who}: no side of theirs has the votes it needs: not quorate.`;
  snapshot.why = [
    {
      ...{ id: "not-quorate", code: "not-quorate", severity: "error", nodes: away, since: act.instant },
      title: away.length === 1 ? `Why is ${who} not quorate?` : `Why are ${who} not quorate?`,
      text: `A partition keeps them apart. ${means}`,
      clauses: [
        { role: "cause", text: "A partition keeps them apart.", refs: [act] },
        { role: "means", text: means, refs: [{ kind: "status", node: away[0] ?? "pve1", instant: now, what: "quorum" }] },
        { role: "do", text: "Undo the partition", refs: [act], fix: { label: "Undo the partition", act: "heal" } },
      ],
    },
  ];
  return snapshot;
}

/** The node with this id stands still; the others have formed a ring without it. */
export function stalled(n = 3, id = 2): LabSnapshot {
  const snapshot = healthy(n);
  const rest: Ring = { ringId: "1.16", members: ids(n).filter((one) => one !== id), quorate: true };
  snapshot.nodes = snapshot.nodes.map((one, index) =>
    index + 1 === id ? { ...one, power: "stalled", powerSince: 151_000_000 } : machine(index + 1, n, 2, rest, (to) => to === id),
  );
  for (const cable of snapshot.cables) if (cable.node === `pve${id}`) cable.state = "silent";
  snapshot.components = [component("A", rest, n)];
  return snapshot;
}

/** It runs on, and believes its old ring until it hears of the new one: two rings stand. */
export function resumed(n = 3, id = 2, letter = "B"): LabSnapshot {
  const snapshot = stalled(n, id);
  const old: Ring = { ringId: "1.12", members: ids(n), quorate: true };
  snapshot.nodes = snapshot.nodes.map((one, index) =>
    index + 1 === id ? { ...machine(id, n, 2, old), powerSince: now - 1_000_000 } : one,
  );
  snapshot.components.unshift(component(letter, old, n, true, [`pve${id}`]));
  return snapshot;
}

/** One node has installed the ring of all; the others are about to. */
export function installing(n = 3, id = 2): LabSnapshot {
  const snapshot = healthy(n);
  const ring: Ring = { ringId: "1.1a", members: ids(n), quorate: true };
  snapshot.nodes = ids(n).map((one) => {
    const made = machine(one, n, 2, ring);
    if (made.corosync !== null && one !== id) made.corosync.state = "recovery";
    if (made.corosync !== null && one === id) made.corosync.syncing = true;
    return made;
  });
  const first = component("A", ring, n, true, [`pve${id}`]);
  Object.assign(first, {
    settled: false,
    votes: 1,
    sentence: `1 of ${n} members have installed it; votes are counted when all have`,
    cells: first.cells.map((cell) => ({ ...cell, present: cell.nodeId === id })),
  });
  const rest = ids(n).filter((one) => one !== id);
  snapshot.components = [first, ...rest.map((one) => component("A", { ...ring, quorate: false }, n, false, [`pve${one}`]))];
  snapshot.forming = [rest.map((one) => `pve${one}`)];
  return snapshot;
}

/** Every node gathers and has heard nobody. */
export function gathering(n: number): LabSnapshot {
  const snapshot = healthy(n);
  const old: Ring = { ringId: "1.12", members: ids(n), quorate: true };
  snapshot.time = { ...snapshot.time, speed: 0.01, paused: true };
  snapshot.nodes = ids(n).map((id) => {
    const one = machine(id, n, 2, old);
    if (one.corosync !== null) {
      one.corosync.state = "gather";
      one.corosync.gathering = { proc: ids(n), failed: ids(n).filter((other) => other % 2 !== id % 2), consensus: [id] };
      one.corosync.token.here = false;
    }
    return one;
  });
  snapshot.components = ids(n).map((id) =>
    component("A", { ...old, members: ids(n).filter((other) => other % 2 === id % 2), quorate: false }, n, false, [`pve${id}`]),
  );
  snapshot.forming = ids(n).map((id) => [`pve${id}`]);
  snapshot.margin = null;
  return snapshot;
}

/** Everything that can be set on cables and switches, at once. */
export function harmed(n: number): LabSnapshot {
  const snapshot = healthy(n);
  cutCable(snapshot, "pve1", "net0", { in: true, out: true });
  cutCable(snapshot, "pve2", "net0", { in: true, out: false });
  for (const cable of snapshot.cables)
    if (cable.net === "net1") Object.assign(cable, { delayMs: 50, jitterMs: 12.5, lossPercent: 6.25, rateMbit: 100, mtuBytes: 1280 });
  for (const [index, net] of snapshot.networks.entries()) if (index === 1 && n > 8) net.on = false;
  return snapshot;
}

/** Lines that corosync writes when it refuses its configuration. */
export const journal: JournalLine[] = [
  {
    instant: 3_100_000,
    node: "pve1",
    unit: "corosync",
    pid: 812,
    level: "notice",
    subsystem: "MAIN",
    text: "Corosync Cluster Engine  starting up",
  },
  { instant: 137_500_000, node: "pve1", unit: "corosync", pid: 812, level: "notice", subsystem: "QUORUM", text: "Members[3]: 1 2 3" },
  {
    instant: 137_500_000,
    node: "pve2",
    unit: "corosync",
    pid: 807,
    level: "notice",
    subsystem: "TOTEM",
    text: "A new membership (1.12) was formed. Members joined: 3",
  },
  {
    instant: 151_900_000,
    node: "pve3",
    unit: "corosync",
    pid: 1411,
    level: "error",
    subsystem: "MAIN",
    text: "parse error in config: Line 4: Missing closing brace",
  },
  {
    instant: 151_900_000,
    node: "pve3",
    unit: "corosync",
    pid: 1411,
    level: "error",
    subsystem: "MAIN",
    text: "Corosync Cluster Engine exiting with status 8 at main.c:1386.",
  },
];
