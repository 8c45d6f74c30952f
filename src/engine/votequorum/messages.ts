/**
 * The messages of the service: nodeinfo, in which every member tells its votes, expected votes and flags (and what it knows of the device's votes), reconfigure, and the
 * device's two. In the real stack: message_handler_req_exec_votequorum_* of votequorum.c. Left out: the byte order of other machines.
 */
import { ByteReader, ByteWriter, type Port } from "../kernel/index.ts";
import type { ServicePort } from "../totem/service.ts";
import type { QuorumDevice } from "./device.ts";
import {
  DEVICE_NODE_ID,
  FLAG_FIRST,
  FLAG_LEAVING,
  FLAG_QUORATE,
  FLAG_WFA_STATUS,
  HANDLER_DEVICE_REGISTER,
  HANDLER_DEVICE_RENAME,
  HANDLER_NODEINFO,
  HANDLER_RECONFIGURE,
  RECONFIG_CANCEL_WFA,
  RECONFIG_EXPECTED_VOTES,
  RECONFIG_NODE_VOTES,
  flagsText,
} from "./flags.ts";
import type { VoteLog } from "./log.ts";
import type { NodeEntry, VoteTable } from "./table.ts";
import type { VoteError } from "./tracking.ts";
import type { Verdict } from "./verdict.ts";

/** Of the service engine. */
export const SERVICE_ID = 5;
export const LAST_MAN_TIMER = "last_man_standing";

export class VoteMessages {
  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private readonly table: VoteTable,
    private readonly verdict: Verdict,
    private readonly device: QuorumDevice,
    private readonly log: VoteLog,
  ) {}

  /** A message of the total order. */
  execute(handler: number, from: number, payload: Uint8Array): void {
    if (this.table.state.unloaded) return;
    const r = new ByteReader(payload);
    if (handler === HANDLER_NODEINFO) this.onNodeInfo(from, r.u32(), r.u32(), r.u32(), r.u32());
    else if (handler === HANDLER_RECONFIGURE) this.onReconfigure(r.u32(), r.u32(), r.u8());
    else if (handler === HANDLER_DEVICE_REGISTER) this.device.onRegister(from, r);
    else if (handler === HANDLER_DEVICE_RENAME) this.device.onRename(from, r);
  }

  private onNodeInfo(from: number, nodeId: number, votes: number, expected: number, flags: number): void {
    this.log.trace(() => `nodeinfo message[${nodeId}]: votes: ${votes}, expected: ${expected} flags: ${flags}`);
    if (nodeId === DEVICE_NODE_ID) return this.onDeviceInfo(from, votes);
    this.log.trace(() => flagsText(flags));
    const s = this.table.state;
    const us = this.table.us();
    const known = this.table.find(nodeId);
    const node = known ?? this.table.add(nodeId);
    const before = { ...node };
    node.flags = flags;
    node.votes = votes;
    const leaving = (flags & FLAG_LEAVING) !== 0;
    node.state = leaving ? "leaving" : "member";
    const heardQuorate = (flags & FLAG_QUORATE) !== 0;
    const takeOver = !s.quorate && heardQuorate;
    if (takeOver) us.expectedVotes = expected;
    node.expectedVotes = heardQuorate || s.options.tracking ? expected : us.expectedVotes;
    this.checkLastManStanding(node);
    if (known === undefined || differs(before, node) || nodeId === us.nodeId || (flags & FLAG_FIRST) !== 0) {
      this.verdict.recalculate(takeOver || leaving, leaving);
    }
    // Who is quorate and does not wait has seen all: nobody who hears it has to wait any more. Own flags are those after the verdict.
    if (s.options.waitForAll && (node.flags & (FLAG_QUORATE | FLAG_WFA_STATUS)) === FLAG_QUORATE) this.table.setWaiting(false);
  }

  /** last_man_standing counts nodes, so it ends for good where one has more than one vote. */
  private checkLastManStanding(node: NodeEntry): void {
    const { options } = this.table.state;
    if (!options.lastManStanding || node.votes <= 1) return;
    this.log.say("warning", "Last Man Standing feature is supported only when allcluster nodes votes are set to 1. Disabling LMS.");
    options.lastManStanding = false;
    this.port.clearTimer(LAST_MAN_TIMER);
  }

  /** A node's word on the device's votes: the highest counts, but a quorate node's counts for an inquorate one. */
  private onDeviceInfo(from: number, votes: number): void {
    const s = this.table.state;
    const sender = this.table.find(from);
    const takeOver = !s.quorate && sender !== undefined && (sender.flags & FLAG_QUORATE) !== 0;
    const before = s.device.votes;
    s.device.votes = takeOver ? votes : Math.max(before, votes);
    if (s.device.votes !== before) this.verdict.recalculate(false);
  }

  private onReconfigure(nodeId: number, value: number, param: number): void {
    if (param === RECONFIG_EXPECTED_VOTES) {
      this.verdict.expectOfAll(value);
      const { options } = this.table.state;
      // With tracking a node does not itself come to expect less, though it has the others do so (observed).
      if (options.tracking) this.table.us().expectedVotes = Math.max(value, options.tracked);
      this.table.state.evBarrier = value;
      this.table.written("ev_barrier");
      this.verdict.recalculate(true);
      return;
    }
    if (param === RECONFIG_CANCEL_WFA) {
      this.table.setWaiting(false);
      this.log.say("info", `wait_for_all_status reset by user on node ${nodeId}.`);
      this.verdict.recalculate(false);
      return;
    }
    const node = param === RECONFIG_NODE_VOTES ? this.table.find(nodeId) : undefined;
    if (node === undefined) return;
    node.votes = value;
    this.verdict.recalculate(true);
  }

  /** `uncounted`: before the service's counters exist. @returns false where the ring takes no message now */
  sendNodeInfo(nodeId: number, uncounted: boolean): boolean {
    const us = this.table.us();
    const device = nodeId === DEVICE_NODE_ID;
    const node = device ? { votes: this.table.state.device.votes, expectedVotes: 0, flags: 0 } : us;
    if (!device) this.log.trace(() => flagsText(node.flags));
    const payload = new ByteWriter().u32(nodeId).u32(node.votes).u32(node.expectedVotes).u32(node.flags).done();
    return this.ring.mcast(SERVICE_ID, HANDLER_NODEINFO, payload, uncounted);
  }

  /** Everybody, this node included, takes `value` for `param` when the message comes round. */
  sendReconfigure(nodeId: number, value: number, param: number): VoteError | undefined {
    const payload = new ByteWriter().u32(nodeId).u32(value).u8(param).done();
    return this.ring.mcast(SERVICE_ID, HANDLER_RECONFIGURE, payload) ? undefined : "CS_ERR_TRY_AGAIN";
  }
}

function differs(a: NodeEntry, b: NodeEntry): boolean {
  return a.votes !== b.votes || a.expectedVotes !== b.expectedVotes || a.flags !== b.flags || a.state !== b.state;
}
