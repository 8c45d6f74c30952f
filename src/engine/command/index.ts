/** The commands' public face. */
export * from "./host.ts";
export * from "./registry.ts";
export * from "./runs.ts";
export * from "./spec.ts";
