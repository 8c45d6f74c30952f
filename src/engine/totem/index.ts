/** The Totem layer's public face. */
export * from "./types.ts";
export * from "./service.ts";
export { Totem, type TotemSnapshot } from "./totem.ts";
export { SyncEngine, type SyncHooks, type SyncState } from "./sync.ts";
export type { SrpStats } from "./state.ts";
