/** The commands' public face. */
export { completions } from "./completions.ts";
export type { UnitView } from "./host.ts";
export { JOURNAL, MANAGER, type JournalCalls, type ManagerCalls } from "./manager-calls.ts";
export type { Result } from "./result.ts";
export type { UnitOp } from "./spec.ts";
export * from "./tool.ts";
export { peekTool } from "./tool-peek.ts";
export { ToolProgram } from "./tool-program.ts";
export { toolNamed, toolProgram, tools } from "./tools.ts";
