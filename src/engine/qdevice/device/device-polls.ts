/**
 * Polls of votequorum with the vote that the device has, and what follows when one was answered. In the real stack: qdevice-votequorum.c and the cast vote timer's
 * users. When they are made is the timer's matter (cast-vote.ts).
 */
import type { Vote } from "../tlv.ts";
import type { DeviceCore } from "./device-core.ts";
import { NO_DAEMON, type AfterPoll, type DevicePort, type Waiting } from "./device-state.ts";

type Poll = Extract<Waiting, { on: "poll" }>;

export interface PollHooks {
  /** What was to come after a poll comes now. */
  follow(after: AfterPoll): void;
  /** The daemon no longer knows the device, as after corosync-quorumtool -f. */
  refused(): void;
}

export class DevicePolls {
  /** Of the result that is being handed to the timer. */
  private casting: { readonly who: string; readonly after: AfterPoll | undefined } | undefined;

  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    private readonly hooks: PollHooks,
  ) {}

  /** The algorithm's result goes to the timer; `after` comes when a poll that follows was answered, or at once where none does. */
  result(vote: Vote, who: string, after?: AfterPoll): void {
    this.casting = { who, after };
    this.device.castVote?.update(vote);
    // Nothing was polled.
    const idle = this.casting !== undefined;
    this.casting = undefined;
    if (idle && after !== undefined) this.hooks.follow(after);
  }

  /** For the cast vote timer. */
  poll(cast: boolean): void {
    const { who, after } = this.casting ?? { who: "", after: undefined };
    this.casting = undefined;
    this.device.wait({ on: "poll", cast, who, after }, { call: "poll", cast, ring: this.device.state.ring });
  }

  /** The answer to a poll. */
  polled({ cast, who, after }: Poll, error: string | undefined): void {
    if (error !== NO_DAEMON) this.device.state.lastPoll = { at: this.port.now(), cast };
    if (error === undefined || error === "CS_ERR_TRY_AGAIN" || error === "CS_ERR_MESSAGE_ERROR") {
      if (error === "CS_ERR_MESSAGE_ERROR") this.port.log("info", "qdevice_votequorum_poll called with old ring id");
      if (after !== undefined) this.hooks.follow(after);
      return;
    }
    this.failed(error);
    if (who !== "") this.port.log("error", `${who} fatal error.  Can't update cast vote timer vote`);
    if (after?.next === "leave") this.hooks.follow(after);
    else if (who === "") this.hooks.refused();
    else this.device.end(1);
  }

  /** Says that a poll came to nothing. */
  failed(error: string): void {
    this.port.log("crit", `Can't call votequorum_qdevice_poll. Error ${error}`);
  }
}
