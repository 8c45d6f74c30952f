/**
 * Closed process groups (corosync's cpg, service 2): processes on all nodes join named groups; every member process sees the same joins, leaves and
 * messages in one total order. Works without quorum. Left out: the wire of libcpg (a local process talks to this object), flow-control state queries,
 * iteration handles, and partial messages (Totem splits long ones itself).
 */
import type { ReleaseProfile } from "../config/release.ts";
import { MESSAGE_SIZE_MAX, cloneState, type Hasher, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";
import { copyRing, type RingId } from "../totem/types.ts";
import {
  DOWNLIST,
  JOINLIST,
  MCAST,
  PROCJOIN,
  PROCLEAVE,
  decodeDownList,
  decodeJoinList,
  decodeMcast,
  decodeProc,
  encodeDownList,
  encodeJoinList,
  encodeMcast,
  encodeProc,
  type CpgAddress,
  type JoinListEntry,
} from "./messages.ts";

/** Longest group name, bytes (CPG_MAX_NAME_LENGTH). */
export const CPG_NAME_MAX = 128;
/** Most members of one group (CPG_MEMBERS_MAX). */
export const CPG_MEMBERS_MAX = 128;

export type CpgReason = "join" | "leave" | "nodedown" | "nodeup" | "procdown";
const REASON_NUMBER: Record<CpgReason, number> = { join: 1, leave: 2, nodedown: 3, nodeup: 4, procdown: 5 };

export interface CpgChange extends CpgAddress {
  readonly reason: CpgReason;
}

/** One configuration change of a group, as every member process sees it at the same point of the message stream. */
export interface CpgConfchg {
  readonly group: string;
  /** The new view, ascending by node, then pid. */
  readonly members: readonly CpgAddress[];
  readonly left: readonly CpgChange[];
  readonly joined: readonly CpgChange[];
}

/** What a member process is told. */
export interface CpgHandlers {
  confchg(change: CpgConfchg): void;
  deliver(from: CpgAddress, message: Uint8Array): void;
  /** Model v1: after the confchgs of a sync, the ring and its members. */
  totem?(ring: RingId, members: readonly number[]): void;
}

export type CpgError =
  "CS_ERR_TRY_AGAIN" | "CS_ERR_EXIST" | "CS_ERR_NOT_EXIST" | "CS_ERR_INVALID_PARAM" | "CS_ERR_TOO_BIG" | "CS_ERR_NAME_TOO_LONG";

interface LocalProcess {
  group: string;
  pid: number;
  phase: "joining" | "joined" | "leaving";
}

interface CpgState {
  /** Every known member process of every group, in order of arrival. */
  processes: { group: string; nodeId: number; pid: number }[];
  local: LocalProcess[];
  syncing: boolean;
  /** Members at the last completed sync. */
  settled: number[];
  pending: number[];
  pendingRing: RingId;
  downList: number[];
  downListSent: boolean;
  /** Join lists heard in this sync, by sender in order of arrival. */
  joinLists: { nodeId: number; entries: JoinListEntry[] }[];
}

export class Cpg implements ServiceEngine {
  readonly id = 2;
  readonly description = "corosync cluster closed process group service v1.01";
  readonly handlerCount = 7;
  private state: CpgState = {
    processes: [],
    local: [],
    syncing: true,
    settled: [],
    pending: [],
    pendingRing: { rep: 0, seq: 0 },
    downList: [],
    downListSent: false,
    joinLists: [],
  };
  private readonly handlers = new Map<string, CpgHandlers>();

  /** @param debug `logging.debug: on` */
  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private readonly nodeId: number,
    private readonly profile: Pick<ReleaseProfile, "forgetsJoinListsOfLost">,
    public debug: boolean = false,
  ) {}

  // ── for local processes ──────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * cpg_join: asks for membership; it holds when the process gets its own confchg. @returns undefined when asked; CS_ERR_EXIST where this process is in the group
   * already, CS_ERR_TRY_AGAIN during a sync or with a full queue, CS_ERR_INVALID_PARAM for an empty and CS_ERR_NAME_TOO_LONG for an overlong name.
   */
  join(group: string, pid: number, handlers: CpgHandlers): CpgError | undefined {
    if (group.length === 0) return "CS_ERR_INVALID_PARAM";
    if (group.length > CPG_NAME_MAX) return "CS_ERR_NAME_TOO_LONG";
    if (this.local(group, pid)) return "CS_ERR_EXIST";
    if (this.state.syncing || !this.ring.mcast(this.id, PROCJOIN, encodeProc(group, pid, REASON_NUMBER.join))) return "CS_ERR_TRY_AGAIN";
    this.state.local.push({ group, pid, phase: "joining" });
    this.attach(group, pid, handlers);
    return undefined;
  }

  /** Gives a process its handlers again after a restore; the membership itself is part of the snapshot. */
  attach(group: string, pid: number, handlers: CpgHandlers): void {
    this.handlers.set(key(group, pid), handlers);
  }

  /** cpg_leave. The process sees its own leave as its last confchg. */
  leave(group: string, pid: number): CpgError | undefined {
    const process = this.local(group, pid);
    if (process === undefined || process.phase === "leaving") return "CS_ERR_NOT_EXIST";
    if (this.state.syncing || !this.ring.mcast(this.id, PROCLEAVE, encodeProc(group, pid, REASON_NUMBER.leave))) return "CS_ERR_TRY_AGAIN";
    process.phase = "leaving";
    return undefined;
  }

  /**
   * The process died, or its connection for `group` did: every group it was in, or that one, loses it, reason procdown. It hears nothing any more. Not possible to
   * refuse, so a sync's end sorts it out.
   */
  died(pid: number, group?: string): void {
    const s = this.state;
    const gone = s.local.filter((l) => l.pid === pid && (group === undefined || l.group === group));
    for (const p of gone) {
      this.handlers.delete(key(p.group, pid));
      this.ring.mcast(this.id, PROCLEAVE, encodeProc(p.group, pid, REASON_NUMBER.procdown));
    }
    s.local = s.local.filter((l) => !gone.includes(l));
  }

  /** cpg_mcast_joined. Delivered to all members, the sender included, in one order everywhere. */
  mcast(group: string, pid: number, message: Uint8Array): CpgError | undefined {
    const process = this.local(group, pid);
    if (process === undefined || process.phase === "leaving") return "CS_ERR_NOT_EXIST";
    const payload = encodeMcast(group, pid, message);
    if (payload.length > MESSAGE_SIZE_MAX) return "CS_ERR_TOO_BIG";
    if (process.phase === "joining" || this.state.syncing || !this.ring.mcast(this.id, MCAST, payload)) return "CS_ERR_TRY_AGAIN";
    return undefined;
  }

  /** Group names, ascending (cpg_groups). */
  groups(): string[] {
    return [...new Set(this.state.processes.map((p) => p.group))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** Group names, the one that came into being last first: the order in which tools are told them. */
  groupsNewestFirst(): string[] {
    return [...new Set(this.state.processes.map((p) => p.group))].reverse();
  }

  /** The present view of a group, ascending by node, then pid. */
  members(group: string): CpgAddress[] {
    return this.state.processes
      .filter((p) => p.group === group)
      .map((p) => ({ nodeId: p.nodeId, pid: p.pid }))
      .sort((a, b) => a.nodeId - b.nodeId || a.pid - b.pid);
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  execute(handler: number, from: number, payload: Uint8Array): void {
    if (handler === PROCJOIN) this.onJoin(from, payload);
    else if (handler === PROCLEAVE) this.onLeave(from, payload);
    else if (handler === JOINLIST) this.onJoinList(from, payload);
    else if (handler === MCAST) this.onMcast(from, payload);
    else if (handler === DOWNLIST) this.log(() => `downlist left_list: ${decodeDownList(payload).length} received`);
  }

  private onJoin(from: number, payload: Uint8Array): void {
    const { group, pid } = decodeProc(payload);
    if (this.known(group, from, pid)) return;
    if (from === this.nodeId) {
      const process = this.local(group, pid);
      if (process) process.phase = "joined";
    }
    this.state.processes.push({ group, nodeId: from, pid });
    this.tell(group, [], [{ nodeId: from, pid, reason: "join" }]);
  }

  private onLeave(from: number, payload: Uint8Array): void {
    const { group, pid, reason } = decodeProc(payload);
    const s = this.state;
    if (!this.known(group, from, pid)) return;
    s.processes = s.processes.filter((p) => !(p.group === group && p.nodeId === from && p.pid === pid));
    this.tell(group, [{ nodeId: from, pid, reason: reason === REASON_NUMBER.procdown ? "procdown" : "leave" }], []);
    if (from === this.nodeId) {
      s.local = s.local.filter((l) => !(l.group === group && l.pid === pid));
      this.handlers.delete(key(group, pid));
    }
  }

  private onJoinList(from: number, payload: Uint8Array): void {
    const entries = decodeJoinList(payload);
    // Said again after a sync that was aborted: one of two equal lists is enough.
    const again = this.state.joinLists.some(
      (list) =>
        list.nodeId === from &&
        list.entries.length === entries.length &&
        entries.every((e) => list.entries.some((o) => same({ ...o, nodeId: from }, e, from))),
    );
    if (!again) this.state.joinLists.push({ nodeId: from, entries });
  }

  private onMcast(from: number, payload: Uint8Array): void {
    const { group, pid, message } = decodeMcast(payload);
    // A sender that is no longer in the view (its leave was ordered first) is not heard, as on the real ring.
    if (!this.known(group, from, pid)) return;
    for (const local of [...this.state.local]) {
      if (local.group === group && local.phase !== "joining")
        this.handlers.get(key(group, local.pid))?.deliver({ nodeId: from, pid }, message);
    }
  }

  // ── synchronisation ──────────────────────────────────────────────────────────────────────────────────────────────────

  syncInit(trans: readonly number[], members: readonly number[], ring: RingId): void {
    const s = this.state;
    s.syncing = true;
    s.pending = [...members];
    s.pendingRing = copyRing(ring);
    s.downListSent = false;
    // Of old a list stays where the sync that brought it ended while this service waited for the others: its sender may be gone by the next one.
    if (this.profile.forgetsJoinListsOfLost) s.joinLists = [];
    // Who was lost in an interrupted sync stays lost, although `settled` is still the old membership.
    const lost = s.settled.filter((id) => !trans.includes(id));
    s.downList = [...new Set([...s.downList, ...lost])].sort((a, b) => a - b);
  }

  syncProcess(): boolean {
    const s = this.state;
    if (!s.downListSent) s.downListSent = this.ring.mcast(this.id, DOWNLIST, encodeDownList(s.downList));
    if (!s.downListSent) return false;
    const own = s.local.filter((l) => this.known(l.group, this.nodeId, l.pid)).map((l) => ({ group: l.group, pid: l.pid }));
    return own.length === 0 || this.ring.mcast(this.id, JOINLIST, encodeJoinList(own));
  }

  /** Losses first, then arrivals, then the ring itself. */
  syncActivate(): void {
    const s = this.state;
    this.log(() => `my downlist: members(old:${s.settled.length} left:${s.downList.length})`);
    this.dropLost(s.downList);
    this.addArrivals();
    this.dropUnlisted();
    s.settled = [...s.pending];
    s.downList = [];
    s.joinLists = [];
    s.syncing = false;
    const nodes = [...new Set(s.processes.map((p) => p.nodeId))].sort((a, b) => a - b);
    this.port.trace({ what: "groups", node: this.nodeId, members: [...s.settled], nodes, keepsLost: !this.profile.forgetsJoinListsOfLost });
    for (const p of s.local) {
      if (p.phase !== "joining") this.handlers.get(key(p.group, p.pid))?.totem?.(s.pendingRing, s.settled);
    }
  }

  /** The sync ends while this service's part of it is being sent. */
  syncAbort(): void {
    this.state.joinLists = [];
  }

  private dropLost(lost: readonly number[]): void {
    const s = this.state;
    for (const group of this.groups()) {
      const gone = s.processes.filter((p) => p.group === group && p.nodeId !== this.nodeId && lost.includes(p.nodeId));
      if (gone.length === 0) continue;
      s.processes = s.processes.filter((p) => !gone.includes(p));
      this.tell(
        group,
        gone.map((p) => ({ nodeId: p.nodeId, pid: p.pid, reason: "nodedown" as const })),
        [],
      );
    }
  }

  private addArrivals(): void {
    const s = this.state;
    const joining: { group: string; nodeId: number; pid: number }[] = [];
    for (const list of s.joinLists) {
      for (const e of list.entries)
        if (!this.known(e.group, list.nodeId, e.pid) && !joining.some((p) => same(p, e, list.nodeId)))
          joining.push({ group: e.group, nodeId: list.nodeId, pid: e.pid });
    }
    s.processes.push(...joining);
    const groups = [...new Set(joining.map((p) => p.group))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    for (const group of groups) {
      const joined = joining.filter((p) => p.group === group).map((p) => ({ nodeId: p.nodeId, pid: p.pid, reason: "nodeup" as const }));
      this.tell(group, [], joined);
    }
  }

  /** A process of another node that is on no list heard in this sync is no more (joinlist_remove_zombie_pi_entries). */
  private dropUnlisted(): void {
    const s = this.state;
    const listed = (p: CpgState["processes"][number]): boolean =>
      p.nodeId === this.nodeId || s.joinLists.some((list) => list.entries.some((e) => same(p, e, list.nodeId)));
    for (const group of this.groups()) {
      const gone = s.processes.filter((p) => p.group === group && !listed(p));
      if (gone.length === 0) continue;
      s.processes = s.processes.filter((p) => !gone.includes(p));
      this.tell(
        group,
        gone.map((p) => ({ nodeId: p.nodeId, pid: p.pid, reason: "procdown" as const })),
        [],
      );
    }
  }

  private tell(group: string, left: CpgChange[], joined: CpgChange[]): void {
    const change: CpgConfchg = { group, members: this.members(group), left, joined };
    for (const p of [...this.state.local]) {
      if (p.group === group && p.phase !== "joining") this.handlers.get(key(group, p.pid))?.confchg(change);
    }
  }

  // ── helpers and state ────────────────────────────────────────────────────────────────────────────────────────────────

  private local(group: string, pid: number): LocalProcess | undefined {
    return this.state.local.find((l) => l.group === group && l.pid === pid);
  }

  private known(group: string, nodeId: number, pid: number): boolean {
    return this.state.processes.some((p) => p.group === group && p.nodeId === nodeId && p.pid === pid);
  }

  private log(text: () => string): void {
    if (this.debug) this.port.log("debug", "CPG", text());
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  /** Handlers are not part of a snapshot: every local process attaches its own again. */
  restore(state: unknown): void {
    this.state = cloneState(state as CpgState);
    this.handlers.clear();
  }

  digest(h: Hasher): void {
    const s = this.state;
    h.bool(s.syncing).int(s.processes.length);
    for (const p of s.processes) h.text(p.group).int(p.nodeId).int(p.pid);
    for (const l of s.local) h.text(l.group).int(l.pid).text(l.phase);
    for (const list of [s.settled, s.pending, s.downList]) {
      h.int(list.length);
      for (const id of list) h.int(id);
    }
  }
}

function same(p: { group: string; nodeId: number; pid: number }, entry: JoinListEntry, nodeId: number): boolean {
  return p.nodeId === nodeId && p.pid === entry.pid && p.group === entry.group;
}

function key(group: string, pid: number): string {
  return `${pid} ${group}`;
}
