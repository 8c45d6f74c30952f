/** What the parts of corosync-qdevice have of each other: its state, and what any of them may set off. In the real stack: struct qdevice_instance, passed to every function. */
import type { CastVote } from "./cast-vote.ts";
import type { DeviceConfig } from "./device-config.ts";
import type { AfterPoll, DeviceCall, DeviceState, HeuristicsPurpose, Waiting } from "./device-state.ts";
import type { Vote } from "../tlv.ts";

export interface DeviceCore {
  readonly state: DeviceState;
  readonly config: DeviceConfig | undefined;
  readonly castVote: CastVote | undefined;
  readonly alive: boolean;
  /** The process is inside a call, and looks at nothing else. */
  readonly blocked: boolean;
  debug(text: string): void;
  /** Asks votequorum, and does nothing else until it has answered. */
  wait(waiting: Waiting, call: DeviceCall): void;
  /** It cannot come up: it says why and ends. */
  fail(text: string): void;
  end(code: number): void;
  /** The algorithm's result goes to the timer, and when a poll that follows has been answered comes `after`. Where the poll fails for good the process ends. */
  result(vote: Vote, who: string, after?: AfterPoll): void;
  /** Runs the commands; what has come of them goes to who is named by `purpose`. */
  runHeuristics(purpose: HeuristicsPurpose, timeoutMs: number): void;
  /** What waited while the process was inside a call or slept. */
  catchUp(): void;
}
