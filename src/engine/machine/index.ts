/** One computer: the public face. */
export * from "./files.ts";
export * from "./file-acts.ts";
export * from "./base-files.ts";
export * from "./nics.ts";
export * from "./socket.ts";
export * from "./service-processes.ts";
export * from "./unit-disk.ts";
export * from "./computer.ts";
export * from "./tcp.ts";
export { isHardware } from "./hardware.ts";
export * from "./tree-files.ts";
export * from "./runtime.ts";
export { PROCESS_LIST, PROCESS_LIST_CALL, type ProcessRow } from "./process/process-list.ts";
export type { FileLayer } from "./process/file-layer.ts";
export type { KernelParty, ServiceManager } from "./process/hooks.ts";
export type { Place, ProcessRecord, Sink } from "./process/process.ts";
export type { Birth } from "./process/process-set.ts";
export type { PeekCaller } from "./process/peek.ts";
