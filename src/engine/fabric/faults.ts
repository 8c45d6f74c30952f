/**
 * Acts on the fault state: what each cut, setting, partition and heal means, and whether it can be done at all. Pure functions over plain data; in
 * the real world this is the hand at the patch panel. Left out: time; an act holds from the instant it is done.
 */
import { cloneState } from "../kernel/index.ts";
import {
  machineNames,
  networkNames,
  noFaults,
  type CableFault,
  type Direction,
  type FabricAct,
  type FabricDesign,
  type FaultState,
  type FaultView,
  type LinkSettings,
  type LinkTarget,
  type PairFault,
  type PortBlock,
} from "./schema.ts";

const DELAY_MAX_US = 60_000_000;
/** 100 Gbit/s. */
const RATE_MAX_MBIT = 100_000;
/** One kbit/s: below it a packet takes minutes. */
const RATE_MIN_MBIT = 0.001;
/** The smallest MTU that IPv4 works with (RFC 791), and the largest packet it has. */
const MTU_MIN_BYTES = 68;
const MTU_MAX_BYTES = 65_535;

/** One line that says why the act cannot be done; undefined when it can. */
export function checkFabricAct(design: FabricDesign, act: FabricAct): string | undefined {
  switch (act.kind) {
    case "link-cut":
    case "link-heal":
      return checkLink(design, act.link);
    case "link-set":
      return checkLink(design, act.link) ?? checkSettings(act.settings);
    case "switch":
      return checkNet(design, act.net);
    case "partition":
      return checkGroups(design, act.groups);
    case "block":
      return checkNode(design, act.block.node) ?? checkPort(act.block.port);
    case "heal":
    case "faults":
      return undefined;
  }
}

function checkNode(design: FabricDesign, node: string): string | undefined {
  return design.machines.includes(node) ? undefined : `no machine ${node}; there are ${machineNames(design).join(", ")}`;
}

function checkNet(design: FabricDesign, net: string): string | undefined {
  const names = networkNames(design);
  return names.includes(net) ? undefined : `no network ${net}; there are ${names.join(", ")}`;
}

function checkPort(port: number): string | undefined {
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? undefined : `a port is 1 to 65535, not ${port}`;
}

function checkLink(design: FabricDesign, link: LinkTarget): string | undefined {
  const unknown =
    checkNode(design, link.node) ??
    (link.to === undefined ? undefined : checkNode(design, link.to)) ??
    (link.net === undefined ? undefined : checkNet(design, link.net));
  if (unknown !== undefined) return unknown;
  if (link.to === link.node) return `${link.node} has no cable to itself`;
  if (netsOf(design, link).length > 0) return undefined;
  if (link.to !== undefined) return `${link.node} and ${link.to} share no network${link.net === undefined ? "" : ` ${link.net}`}`;
  return `${link.node} has no cable to ${link.net ?? "any network"}`;
}

function checkSettings(settings: LinkSettings): string | undefined {
  const span = (value: number | undefined, what: string): string | undefined =>
    value === undefined || (Number.isInteger(value) && value >= 0 && value <= DELAY_MAX_US)
      ? undefined
      : `${what} must be 0 to ${DELAY_MAX_US / 1000} ms`;
  const percent = (value: number | undefined, what: string): string | undefined =>
    value === undefined || (value >= 0 && value <= 100) ? undefined : `${what} must be 0 to 100 percent`;
  const { rateMbit, mtuBytes } = settings;
  if (rateMbit !== undefined && !(rateMbit >= RATE_MIN_MBIT && rateMbit <= RATE_MAX_MBIT))
    return `rate must be ${RATE_MIN_MBIT} to ${RATE_MAX_MBIT} Mbit/s`;
  if (mtuBytes !== undefined && !(Number.isInteger(mtuBytes) && mtuBytes >= MTU_MIN_BYTES && mtuBytes <= MTU_MAX_BYTES))
    return `mtu must be ${MTU_MIN_BYTES} to ${MTU_MAX_BYTES} bytes`;
  return (
    span(settings.delayUs, "delay") ??
    span(settings.jitterUs, "jitter") ??
    percent(settings.lossPercent, "loss") ??
    percent(settings.dupPercent, "dup") ??
    percent(settings.reorderPercent, "reorder")
  );
}

function checkGroups(design: FabricDesign, groups: readonly (readonly string[])[]): string | undefined {
  if (groups.length < 2) return "a partition needs at least two groups";
  const seen = new Set<string>();
  for (const group of groups) {
    if (group.length === 0) return "a group of a partition is empty";
    for (const node of group) {
      const unknown = checkNode(design, node);
      if (unknown !== undefined) return unknown;
      if (seen.has(node)) return `${node} stands in the partition twice`;
      seen.add(node);
    }
  }
  return undefined;
}

function netsOf(design: FabricDesign, link: LinkTarget): string[] {
  const has = (node: string, net: string): boolean => design.nics.some((n) => n.node === node && n.net === net);
  return networkNames(design).filter(
    (net) => (link.net === undefined || link.net === net) && has(link.node, net) && (link.to === undefined || has(link.to, net)),
  );
}

/** The state after `act`, which checkFabricAct must have let pass. `state` is not touched. */
export function applyFabricAct(design: FabricDesign, state: FaultState, act: FabricAct): FaultState {
  if (act.kind === "heal") return noFaults();
  if (act.kind === "faults") return prunedFaults(design, act.state);
  const next = cloneState(state);
  switch (act.kind) {
    case "partition":
      next.groups = act.groups.map((g) => [...g]);
      break;
    case "switch":
      next.switchesOff = next.switchesOff.filter((n) => n !== act.net);
      if (!act.on) next.switchesOff.push(act.net);
      break;
    case "block":
      next.blocks = next.blocks.filter((b) => !sameBlock(b, act.block));
      if (act.on) next.blocks.push({ ...act.block });
      break;
    case "link-cut":
      for (const entry of entries(design, next, act.link)) entry.cut = true;
      break;
    case "link-set":
      for (const entry of entries(design, next, act.link)) Object.assign(entry.settings, act.settings);
      break;
    case "link-heal":
      healLink(design, next, act.link);
      break;
  }
  next.cables = next.cables.filter(matters);
  next.pairs = next.pairs.filter(matters);
  return next;
}

/** The faults without those of machines, networks and cards that are not there. */
export function prunedFaults(design: FabricDesign, state: FaultState): FaultState {
  const next = cloneState(state);
  const on = (node: string, net: string): boolean => design.nics.some((n) => n.node === node && n.net === net);
  const groups = next.groups.map((g) => g.filter((m) => design.machines.includes(m))).filter((g) => g.length > 0);
  return {
    cables: next.cables.filter((c) => on(c.node, c.net)),
    pairs: next.pairs.filter((p) => on(p.from, p.net) && on(p.to, p.net)),
    switchesOff: next.switchesOff.filter((net) => networkNames(design).includes(net)),
    groups: groups.length < 2 ? [] : groups,
    blocks: next.blocks.filter((b) => design.machines.includes(b.node)),
  };
}

function sameBlock(a: PortBlock, b: PortBlock): boolean {
  return a.node === b.node && a.port === b.port && a.proto === b.proto;
}

function matters(entry: { cut: boolean; settings: LinkSettings }): boolean {
  return entry.cut || Object.keys(entry.settings).length > 0;
}

/** The entries of the state that `link` means, made where there are none yet. */
function entries(design: FabricDesign, state: FaultState, link: LinkTarget): (CableFault | PairFault)[] {
  const directions: Direction[] = link.direction === "both" ? ["in", "out"] : [link.direction];
  const out: (CableFault | PairFault)[] = [];
  for (const net of netsOf(design, link)) {
    for (const direction of directions) {
      out.push(link.to === undefined ? cableEntry(state, link.node, net, direction) : pairEntry(state, net, link.node, link.to, direction));
    }
  }
  return out;
}

function cableEntry(state: FaultState, node: string, net: string, direction: Direction): CableFault {
  const old = state.cables.find((c) => c.node === node && c.net === net && c.direction === direction);
  if (old !== undefined) return old;
  const made: CableFault = { node, net, direction, cut: false, settings: {} };
  state.cables.push(made);
  return made;
}

function pairEntry(state: FaultState, net: string, node: string, to: string, direction: Direction): PairFault {
  const [a, b] = direction === "out" ? [node, to] : [to, node];
  const old = state.pairs.find((p) => p.net === net && p.from === a && p.to === b);
  if (old !== undefined) return old;
  const made: PairFault = { net, from: a, to: b, cut: false, settings: {} };
  state.pairs.push(made);
  return made;
}

function healLink(design: FabricDesign, state: FaultState, link: LinkTarget): void {
  for (const entry of entries(design, state, link)) {
    entry.cut = false;
    entry.settings = {};
  }
  if (link.to !== undefined) return;
  const nets = netsOf(design, link);
  state.pairs = state.pairs.filter((p) => {
    const mine = (link.direction !== "in" && p.from === link.node) || (link.direction !== "out" && p.to === link.node);
    return !(mine && nets.includes(p.net));
  });
}

/** The faults in force, both directions of one cable or pair joined into one entry where they are alike. */
export function listFaults(state: FaultState): FaultView[] {
  const out: FaultView[] = [];
  const cables = state.cables.map((c) => ({ node: c.node, net: c.net, direction: c.direction, cut: c.cut, settings: c.settings }));
  out.push(...ofEntries(cables));
  const pairs = state.pairs.map((p) => ({
    node: p.from,
    net: p.net,
    to: p.to,
    direction: "out" as const,
    cut: p.cut,
    settings: p.settings,
  }));
  out.push(...ofEntries(pairs));
  for (const net of state.switchesOff) out.push({ kind: "switch", net });
  if (state.groups.length > 0) out.push({ kind: "partition", groups: state.groups.map((g) => [...g]) });
  for (const { node, port, proto } of state.blocks) out.push({ kind: "block", node, port, proto });
  return out;
}

interface Entry {
  node: string;
  net: string;
  to?: string;
  direction: Direction;
  cut: boolean;
  settings: LinkSettings;
}

function ofEntries(list: readonly Entry[]): FaultView[] {
  const views: FaultView[] = [];
  for (const e of list) {
    const where = { node: e.node, net: e.net, ...(e.to === undefined ? {} : { to: e.to }), direction: e.direction };
    if (e.cut) views.push({ kind: "cut", ...where });
    if (Object.keys(e.settings).length > 0) views.push({ kind: "link-setting", ...where, ...settingsView(e.settings) });
  }
  return joinDirections(views);
}

function settingsView(s: LinkSettings): Partial<FaultView> {
  return {
    ...(s.delayUs === undefined ? {} : { delayMs: s.delayUs / 1000 }),
    ...(s.jitterUs === undefined ? {} : { jitterMs: s.jitterUs / 1000 }),
    ...(s.lossPercent === undefined ? {} : { lossPercent: s.lossPercent }),
    ...(s.dupPercent === undefined ? {} : { dupPercent: s.dupPercent }),
    ...(s.reorderPercent === undefined ? {} : { reorderPercent: s.reorderPercent }),
    ...(s.rateMbit === undefined ? {} : { rateMbit: s.rateMbit }),
    ...(s.mtuBytes === undefined ? {} : { mtuBytes: s.mtuBytes }),
  };
}

function joinDirections(views: readonly FaultView[]): FaultView[] {
  const out: FaultView[] = [];
  for (const view of views) {
    const otherHalf = out.find((o) => isOtherHalf(o, view));
    if (otherHalf === undefined) out.push({ ...view });
    else otherHalf.direction = "both";
  }
  return out;
}

/** The same fault in the other direction: of a cable the other direction, of a pair the two ends exchanged. */
function isOtherHalf(a: FaultView, b: FaultView): boolean {
  if (a.kind !== b.kind || a.net !== b.net || a.direction === "both") return false;
  const same =
    a.delayMs === b.delayMs &&
    a.jitterMs === b.jitterMs &&
    a.lossPercent === b.lossPercent &&
    a.dupPercent === b.dupPercent &&
    a.reorderPercent === b.reorderPercent &&
    a.rateMbit === b.rateMbit &&
    a.mtuBytes === b.mtuBytes;
  if (!same) return false;
  if (a.to === undefined || b.to === undefined) return a.to === b.to && a.node === b.node && a.direction !== b.direction;
  return a.node === b.to && a.to === b.node;
}
