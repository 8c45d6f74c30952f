/** The knet layer's public face. */
export { Knet, type KnetSnapshot } from "./knet.ts";
export type { KnetUp } from "./handle.ts";
export { WAKE_US } from "./wakes.ts";
export type { KnetParams, KnetPeer } from "./hosts.ts";
export { sealOf } from "./seal.ts";
export type { LinkCounters, LinkParams } from "./link.ts";
