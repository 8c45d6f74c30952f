/** The corosync daemon's public face: the program, and what its clients are written against. */
export { Corosync } from "./corosync.ts";
export { parseCall } from "./call.ts";
export { RELOAD_ERROR } from "./reload.ts";
export type { Stack } from "./stack.ts";
export { knetParams, readSettings, resolveByHosts, totemParams, votequorumParams, type ConfHost, type Settings } from "./settings.ts";
export * from "./ipc/index.ts";
