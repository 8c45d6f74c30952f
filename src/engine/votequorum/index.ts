/** The votequorum layer's public face. */
export * from "./arithmetic.ts";
export type { NodeState } from "./flags.ts";
export * from "./info.ts";
export * from "./options.ts";
export * from "./quorum.ts";
export type { QuorumCallback, VoteError, VoteListener } from "./tracking.ts";
export * from "./votequorum.ts";
