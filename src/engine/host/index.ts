/** Hosts: who grants a world its time. */
export { wallClock, type HostClock } from "./clock.ts";
export type { DiskDifference } from "./disk-sink.ts";
export { InProcessDriver, type Driver, type HostKind } from "./driver.ts";
export { LiveHost } from "./live.ts";
export type { LiveOptions } from "./live-options.ts";
export { SLOW_SPEED_MAX, SPEED_MAX, SPEED_MIN, type Speed } from "./pace.ts";
export { Past, PastError, type PastOptions } from "./past.ts";
export { UnpacedHost, replayOn, unpaced, type UnpacedOptions } from "./unpaced.ts";
export type { Interest, SlowMode, Stretch } from "./slow-motion.ts";
