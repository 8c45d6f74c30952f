/** One computer: the public face. */
export * from "./files.ts";
export * from "./file-acts.ts";
export * from "./base-files.ts";
export * from "./nics.ts";
export * from "./socket.ts";
export { exitText, type ExitStatus, type UnitResult } from "./unit-results.ts";
export * from "./units.ts";
export * from "./units-pve.ts";
export * from "./computer.ts";
export * from "./tcp.ts";
export { isHardware } from "./hardware.ts";
export * from "./tree-files.ts";
export { MachineRuntime, isSessionAct, type Board, type RuntimeState } from "./runtime.ts";
export type { KernelParty, ServiceManager } from "./process/hooks.ts";
export type { ProcessRecord } from "./process/process.ts";
