/** The kernel's public face. */
export * from "./time.ts";
export * from "./rng.ts";
export * from "./hash.ts";
export * from "./bytes.ts";
export * from "./clone.ts";
export * from "./timers.ts";
export * from "./journal.ts";
export * from "./limits.ts";
export * from "./machine.ts";
export type * from "./status.ts";
export * from "./port.ts";
export * from "./tcp.ts";
export * from "./ipc.ts";
export * from "./vfs.ts";
export * from "./program.ts";
