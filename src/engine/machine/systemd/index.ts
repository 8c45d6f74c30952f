export * from "./definition.ts";
export * from "./files.ts";
export * from "./hooks.ts";
export * from "./manager.ts";
export * from "./names.ts";
export * from "./record.ts";
export type { Refusal } from "./transaction.ts";
export { layUnits } from "./lay-units.ts";
