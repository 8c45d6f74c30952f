/** The port one layer of the daemon gets: the machine's clock, a timer list, its own generator, the daemon's log; silent once the process is gone. */
import type { LogLevel, Os, Port, Rng, Timers } from "../kernel/index.ts";

export interface PortOwner {
  readonly os: Os;
  /** False from the instant the process ended: whatever its code still does in the call under way has no effect. */
  alive(): boolean;
  log(level: LogLevel, subsystem: string, text: string): void;
}

/**
 * @param prefix goes before the layer's timer names in `timers`; the owner strips it again
 * @param rng the layer's generator as it is now (a restore replaces it)
 */
export function layerPort(owner: PortOwner, timers: Timers, prefix: string, rng: () => Rng): Port {
  // A layer has a dozen timers and sets them thousands of times a second: each name is put together once.
  const names = new Map<string, string>();
  const full = (name: string): string => {
    let whole = names.get(name);
    if (whole === undefined) names.set(name, (whole = prefix + name));
    return whole;
  };
  return {
    now: () => owner.os.now,
    setTimer: (name, at) => {
      if (owner.alive()) timers.set(full(name), at);
    },
    clearTimer: (name) => timers.clear(full(name)),
    get rng() {
      return rng();
    },
    log: (level, subsystem, text) => owner.log(level, subsystem, text),
    trace: (event) => {
      if (owner.alive()) owner.os.trace(event);
    },
  };
}
