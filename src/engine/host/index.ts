/** Hosts: who grants a world its time. */
export { wallClock, type HostClock } from "./clock.ts";
export { InProcessHost, SPEED_MAX, SPEED_MIN, type HostOptions, type Speed } from "./inprocess.ts";
export { LocalMover, replayOn, type Mover } from "./mover.ts";
export { Past, PastError, type PastOptions } from "./past.ts";
