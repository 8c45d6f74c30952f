/** The knet layer's public face. */
export { Knet, type KnetSnapshot, type KnetUp } from "./knet.ts";
export { WAKE_US } from "./wakes.ts";
export type { KnetParams, KnetPeer } from "./hosts.ts";
export { sealOf } from "./seal.ts";
export type { LinkCounters, LinkParams } from "./link.ts";
