/**
 * The cast vote timer of corosync-qdevice: while there is a vote it polls votequorum with it, at once and then every half of the poll timeout; while the vote
 * is not known it rests, and a membership change pauses it. In the real stack: qdevice-net-cast-vote-timer.c. Left out: nothing.
 */
import { MS, type Hasher } from "../../kernel/index.ts";
import type { Vote } from "../tlv.ts";

export const CAST_VOTE_TIMER = "cast-vote";

export interface CastVoteState {
  scheduled: boolean;
  paused: boolean;
  vote: Vote;
}

export interface CastVotePort {
  debug(text: string): void;
  setTimer(name: string, afterUs: number): void;
  clearTimer(name: string): void;
  /** votequorum_qdevice_poll; what comes of it is not told here. */
  poll(castVote: boolean): void;
}

export class CastVote {
  state: CastVoteState = { scheduled: false, paused: false, vote: "Wait for reply" };

  constructor(
    private readonly port: CastVotePort,
    private readonly intervalMs: number,
  ) {}

  get running(): boolean {
    return this.state.scheduled && !this.state.paused;
  }

  get casts(): boolean {
    return this.state.vote === "ACK";
  }

  pause(paused: boolean): void {
    if (this.state.paused === paused) return;
    this.state.paused = paused;
    this.port.debug(paused ? "Cast vote timer is now paused." : "Cast vote timer is no longer paused.");
  }

  /** A new result of the algorithm. */
  update(vote: Vote): void {
    if (vote === "No change") return;
    const s = this.state;
    s.vote = vote;
    if (vote !== "ACK" && vote !== "NACK") {
      this.port.debug(s.scheduled ? "Cast vote timer is now stopped." : "Cast vote timer remains stopped.");
      s.scheduled = false;
      this.port.clearTimer(CAST_VOTE_TIMER);
      return;
    }
    this.port.debug(`Cast vote timer ${s.scheduled ? "remains" : "is now"} scheduled every ${this.intervalMs}ms voting ${vote}.`);
    if (!s.scheduled) this.arm();
    s.scheduled = true;
    this.cast();
  }

  private arm(): void {
    this.port.setTimer(CAST_VOTE_TIMER, this.intervalMs * MS);
  }

  private cast(): void {
    if (!this.state.paused) this.port.poll(this.casts);
  }

  /** The timer is due. */
  timer(): void {
    if (!this.state.scheduled) return;
    this.arm();
    this.cast();
  }

  digest(h: Hasher): void {
    h.bool(this.state.scheduled).bool(this.state.paused).text(this.state.vote);
  }
}
