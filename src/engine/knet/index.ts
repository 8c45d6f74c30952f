/** The knet layer's public face. */
export { Knet, WAKE_US, type KnetParams, type KnetPeer, type KnetSnapshot, type KnetUp } from "./knet.ts";
export type { LinkCounters, LinkParams } from "./link.ts";
