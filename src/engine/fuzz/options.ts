/**
 * Options of the quorum section for a schedule: drawn from the seed apart from everything else, so that what happens to a cluster is the same with them and without. Beside
 * a quorum device most are refused by the daemon; what is left are wait_for_all and the device's own settings. Left out: expected_votes_tracking, which changes
 * nothing a membership shows.
 */
import { Rng } from "../kernel/index.ts";

export type QuorumOptions = Readonly<Record<string, string | number>>;

/** One option or two that go together, as somebody who read the manual would write them. */
export function optionsOf(seed: string, nodes: number): QuorumOptions {
  const rng = Rng.from(seed, "options");
  const wait = { wait_for_all: 1 };
  const window = { last_man_standing: 1, last_man_standing_window: rng.pick([2000, 5000, 10_000]) };
  const choices: QuorumOptions[] = [wait, { allow_downscale: 1 }, { ...wait, ...window }, { ...wait, auto_tie_breaker: 1 }];
  if (nodes === 2) choices.push({ two_node: 1 }, { two_node: 1 }, { two_node: 1, wait_for_all: 0 });
  if (nodes % 2 === 0) {
    choices.push({ auto_tie_breaker: 1 }, { auto_tie_breaker: 1, auto_tie_breaker_node: "highest" });
    choices.push({ auto_tie_breaker: 1, auto_tie_breaker_node: "2 1" }, { auto_tie_breaker: 1, ...window });
  }
  return rng.pick(choices);
}

/** Settings of the quorum device and of its server's algorithm. Its votes are the algorithm's: one for ffsplit, one fewer than nodes for lms. */
export interface DeviceOptions {
  readonly algorithm: "ffsplit" | "lms";
  /** lowest, highest or a node id. */
  readonly tieBreaker?: string | undefined;
  /** keep_active_partition_tie_breaker, which is on where nothing is said. */
  readonly keepActive?: boolean | undefined;
  /** quorum.device.timeout and sync_timeout, ms. */
  readonly timeoutMs?: number | undefined;
  readonly syncTimeoutMs?: number | undefined;
}

/** What a cluster with a quorum device may have beside it. */
export function besideDevice(seed: string, nodes: number): { readonly quorum: QuorumOptions | undefined; readonly device: DeviceOptions } {
  const rng = Rng.from(seed, "device-options");
  const algorithm = rng.percent(50) ? "ffsplit" : "lms";
  const [timeoutMs, syncTimeoutMs] = rng.pick([
    [undefined, undefined],
    [5000, 15_000],
    [20_000, 60_000],
  ] as const);
  return {
    quorum: rng.percent(60) ? { wait_for_all: 1 } : undefined,
    device: {
      algorithm,
      tieBreaker: rng.percent(25) ? undefined : rng.pick(["lowest", "highest", String(rng.between(1, nodes))]),
      keepActive: algorithm === "ffsplit" && rng.percent(40) ? false : undefined,
      timeoutMs,
      syncTimeoutMs,
    },
  };
}
