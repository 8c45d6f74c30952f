/**
 * Paths: one directed pair of machines on one network, with everything that is set on its way summed up: the sender's cable out, the receiver's cable in, and
 * what is set for that pair alone. Left out: what happens to a packet on it (fabric.ts).
 */
import { LINK_DELAY_DEFAULT_US, LINK_DELAY_MIN_US, type Datagram, type Duration, type Rng } from "../kernel/index.ts";
import type { FabricDesign, FaultState, LinkSettings, PortBlock } from "./schema.ts";

/** MTU of an Ethernet interface, bytes. */
export const MTU_DEFAULT_BYTES = 1500;

/** A port on the way that sends at a rate; packets that share it share its queue. */
export interface RatedPort {
  readonly label: string;
  readonly rateMbit: number;
  /** Set on the sender's side of the switch: packets reach it at once. */
  readonly near: boolean;
}

export interface Path {
  /** Position of sender and receiver in the lab's order. */
  readonly from: number;
  readonly to: number;
  /** Position of the network in the lab's order. */
  readonly link: number;
  readonly label: string;
  /** Nothing on the way is cut. */
  open: boolean;
  delayUs: Duration;
  jitterUs: Duration;
  reorderPercent: number;
  /** One draw each, in the order of the way. */
  losses: number[];
  dups: number[];
  ports: RatedPort[];
  /** Largest IP packet that gets through, bytes. */
  mtuBytes: number;
  /** Packet filters at its ends. */
  blocks: PortBlock[];
  /** No draw and no queue at all: the usual case. */
  plain: boolean;
  rng: Rng | undefined;
}

/** Bytes of IP and transport header around the payload. */
export function packetBytes(datagram: Datagram): number {
  const six = datagram.dst.includes(":");
  const transport = datagram.proto === "tcp" ? 20 : 8;
  return (datagram.wire ?? datagram.bytes.length) + (six ? 40 : 20) + transport;
}

/** A packet filter on the way drops this datagram. */
export function isBlocked(blocks: readonly PortBlock[], datagram: Datagram): boolean {
  for (const block of blocks)
    if (block.proto === datagram.proto && (block.port === datagram.srcPort || block.port === datagram.dstPort)) return true;
  return false;
}

function parted(state: FaultState, a: string, b: string): boolean {
  const group = (node: string): number => state.groups.findIndex((g) => g.includes(node));
  const [ga, gb] = [group(a), group(b)];
  return ga >= 0 && gb >= 0 && ga !== gb;
}

/** The path from machine number `from` to `to` on network number `link`; never open where one of them is no longer there. */
export function compilePath(design: FabricDesign, state: FaultState, link: number, from: number, to: number): Path {
  const [net, a, b] = [design.networks[link]?.name, design.machines[from], design.machines[to]];
  const there = net !== undefined && a !== undefined && b !== undefined;
  const path: Path = {
    from,
    to,
    link,
    label: `${net ?? ""} ${a ?? ""} ${b ?? ""}`,
    open: there && !state.switchesOff.includes(net) && !parted(state, a, b),
    delayUs: 0,
    jitterUs: 0,
    reorderPercent: 0,
    losses: [],
    dups: [],
    ports: [],
    mtuBytes: MTU_DEFAULT_BYTES,
    blocks: state.blocks.filter((block) => block.node === a || block.node === b),
    plain: true,
    rng: undefined,
  };
  let delays = 0;
  const take = (cut: boolean, s: LinkSettings, port: string, near: boolean): void => {
    if (cut) path.open = false;
    if (s.delayUs !== undefined) delays++;
    path.delayUs += s.delayUs ?? 0;
    path.jitterUs += s.jitterUs ?? 0;
    if ((s.lossPercent ?? 0) > 0) path.losses.push(s.lossPercent ?? 0);
    if ((s.dupPercent ?? 0) > 0) path.dups.push(s.dupPercent ?? 0);
    path.reorderPercent = Math.max(path.reorderPercent, s.reorderPercent ?? 0);
    if (s.rateMbit !== undefined) path.ports.push({ label: port, rateMbit: s.rateMbit, near });
  };
  const out = state.cables.find((c) => c.net === net && c.direction === "out" && c.node === a);
  const into = state.cables.find((c) => c.net === net && c.direction === "in" && c.node === b);
  const pair = state.pairs.find((p) => p.net === net && p.from === a && p.to === b);
  if (out !== undefined) take(out.cut, out.settings, `${out.net} ${out.node} out`, true);
  // A pair's own queue stands before the port that all senders to the machine share.
  if (pair !== undefined) take(pair.cut, pair.settings, `${pair.net} ${pair.from} ${pair.to}`, true);
  if (into !== undefined) take(into.cut, into.settings, `${into.net} ${into.node} in`, false);
  path.delayUs = delays === 0 ? LINK_DELAY_DEFAULT_US : Math.max(LINK_DELAY_MIN_US, path.delayUs);
  path.mtuBytes = Math.min(
    out?.settings.mtuBytes ?? MTU_DEFAULT_BYTES,
    into?.settings.mtuBytes ?? MTU_DEFAULT_BYTES,
    pair?.settings.mtuBytes ?? Number.POSITIVE_INFINITY,
  );
  path.plain =
    path.jitterUs === 0 && path.losses.length === 0 && path.dups.length === 0 && path.reorderPercent === 0 && path.ports.length === 0;
  return path;
}
