/** The knet layer's public face. */
export { Knet, type KnetSnapshot } from "./knet.ts";
export { compressLines } from "./compress.ts";
export type { KnetUp } from "./handle.ts";
export { WAKE_US } from "./wakes.ts";
export { MTU_MAX } from "./pmtud.ts";
export { shortTimeout, timersSaid } from "./ping-timers.ts";
export type { KnetParams, KnetPeer } from "./hosts.ts";
export { sealOf } from "./seal.ts";
export type { LinkCounters, LinkParams } from "./link.ts";
