/** Hosts: who grants a world its time. */
export { wallClock, type HostClock } from "./clock.ts";
export { InProcessDriver, type Driver, type HostKind } from "./driver.ts";
export { LiveHost, SPEED_MAX, SPEED_MIN, type LiveOptions, type Speed } from "./live.ts";
export { Past, PastError, type PastOptions } from "./past.ts";
export { UnpacedHost, replayOn, unpaced, type UnpacedOptions } from "./unpaced.ts";
