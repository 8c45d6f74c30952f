/**
 * The quorum service (corosync's vsf_quorum, service 3): it announces each membership when a sync begins, and keeps and logs the verdict that its provider,
 * votequorum, gives when the sync is done. What quorumtool calls Nodes, Ring ID and Quorate comes from here, so it stays as it was while a sync
 * is unfinished. Left out: IPC notifications to clients other than the callback, and providers other than votequorum.
 */
import { cloneState, type Hasher, type Port } from "../kernel/index.ts";
import type { ServiceEngine } from "../totem/service.ts";
import { copyRing, ringIdText, type RingId } from "../totem/types.ts";

/** What the provider last decided. */
export interface QuorumView {
  readonly ring: RingId;
  /** Ascending. */
  readonly members: readonly number[];
  readonly quorate: boolean;
}

interface QuorumState {
  ring: RingId;
  members: number[];
  quorate: boolean;
  /** Members at the last completed sync. */
  settled: number[];
  /** `settled` without everybody missing from a transitional membership since. */
  kept: number[];
  /** Members of the sync under way. */
  pending: number[];
}

/** Characters of one log line's member list; corosync's view_buf is 64 bytes with its end mark. */
const VIEW_CHARS = 63;

/**
 * One or more log texts `NAME[count]: 1 2 3`. A list that does not fit goes on in a further line, all but the last ending in a backslash; the id that did not
 * fit leaves its first characters where there was room for them, and comes whole in the next line (observed: `60010 60\`, then `60011`).
 */
export function viewLines(name: string, ids: readonly number[]): string[] {
  const lines: string[] = [];
  let at = 0;
  do {
    let text = "";
    for (; at < ids.length; at++) {
      const word = ` ${ids[at]}`;
      const fits = text.length + word.length <= VIEW_CHARS;
      text = (text + word).slice(0, VIEW_CHARS);
      if (!fits) break;
    }
    lines.push(`${name}[${ids.length}]:${text}${at < ids.length ? "\\" : ""}`);
  } while (at < ids.length);
  return lines;
}

export class QuorumService implements ServiceEngine {
  readonly id = 3;
  readonly description = "corosync cluster quorum service v0.1";
  readonly handlerCount = 0;
  private state: QuorumState = { ring: { rep: 0, seq: 0 }, members: [], quorate: false, settled: [], kept: [], pending: [] };

  /** `changed` is called after every verdict, as a client that tracks quorum is notified. */
  constructor(
    private readonly port: Port,
    private readonly nodeId: number,
    private readonly changed: (view: QuorumView) => void = () => undefined,
  ) {}

  get view(): QuorumView {
    return { ring: this.state.ring, members: this.state.members, quorate: this.state.quorate };
  }

  private announce(name: string, ids: readonly number[]): void {
    for (const line of viewLines(name, ids)) this.port.log("notice", "QUORUM", line);
  }

  /** The provider's verdict (quorum_api_set_quorum). The primary-component line is logged on a change only, the members always. */
  setQuorum(members: readonly number[], quorate: boolean, ring: RingId): void {
    const s = this.state;
    if (quorate && !s.quorate) this.port.log("notice", "QUORUM", "This node is within the primary component and will provide service.");
    if (!quorate && s.quorate)
      this.port.log("notice", "QUORUM", "This node is within the non-primary component and will NOT provide any services.");
    s.quorate = quorate;
    s.members = [...members];
    s.ring = copyRing(ring);
    this.announce("Members", members);
    const bytes = 4 * members.length;
    this.port.log("debug", "QUORUM", `sending quorum notification to (nil), length = ${48 + bytes}/${56 + bytes}`);
    this.port.trace({ what: "quorum", node: this.nodeId, quorate, ring: ringIdText(ring), members: [...members] });
    this.changed(this.view);
  }

  execute(): void {
    // The service sends no messages.
  }

  syncInit(trans: readonly number[], members: readonly number[]): void {
    const s = this.state;
    s.kept = s.kept.filter((id) => trans.includes(id));
    s.pending = [...members];
    const joined = members.filter((id) => !s.kept.includes(id));
    const left = s.settled.filter((id) => !s.kept.includes(id));
    this.announce("Sync members", members);
    if (joined.length > 0) this.announce("Sync joined", joined);
    if (left.length > 0) this.announce("Sync left", left);
  }

  syncProcess(): boolean {
    return true;
  }

  syncActivate(): void {
    const { pending, settled, kept } = this.state;
    const missing = (list: readonly number[]): number => list.filter((id) => !kept.includes(id)).length;
    const bytes = 64 + 4 * (pending.length + missing(pending) + missing(settled));
    this.port.log("debug", "QUORUM", `sending nodelist notification to (nil), length = ${bytes}`);
    this.state.settled = [...this.state.pending];
    this.state.kept = [...this.state.pending];
  }

  syncAbort(): void {
    // `kept` remembers who was missed; nothing else was begun.
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as QuorumState);
  }

  digest(h: Hasher): void {
    const s = this.state;
    h.int(s.ring.rep).int(s.ring.seq).bool(s.quorate);
    for (const list of [s.members, s.settled, s.kept, s.pending]) {
      h.int(list.length);
      for (const id of list) h.int(id);
    }
  }
}
