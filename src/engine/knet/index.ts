/** The knet layer's public face. */
export { Knet, WAKE_US, type KnetSnapshot, type KnetUp } from "./knet.ts";
export type { KnetParams, KnetPeer } from "./hosts.ts";
export { sealOf } from "./link.ts";
export type { LinkCounters, LinkParams } from "./link.ts";
