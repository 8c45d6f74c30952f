/** The commands' public face. */
export * from "./acts.ts";
export { corosyncCall } from "./corosync.ts";
export * from "./host.ts";
export * from "./registry.ts";
export * from "./runs.ts";
export * from "./spec.ts";
