/** The commands' public face. */
export * from "./host.ts";
export * from "./registry.ts";
export * from "./runs.ts";
export * from "./spec.ts";
export { jobAnswer, managerCall, type ManagerCall, type SystemctlAnswer } from "./systemd/index.ts";
export * from "./tool.ts";
export { peekTool } from "./tool-peek.ts";
export { ToolProgram } from "./tool-program.ts";
export { toolNamed, toolProgram, tools } from "./tools.ts";
