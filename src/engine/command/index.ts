/** The commands' public face. */
export { completions } from "./completions.ts";
export { journalText } from "./journal-format.ts";
export { JOURNAL, MANAGER, type JournalCalls, type ManagerCalls } from "./manager-calls.ts";
export type { Result } from "./result.ts";
export {
  jobAnswer,
  managerCall,
  query as systemctlQuery,
  type ManagerCall,
  type SystemctlAnswer,
  type SystemctlHost,
} from "./systemd/index.ts";
export * from "./tool.ts";
export { peekTool } from "./tool-peek.ts";
export { ToolProgram } from "./tool-program.ts";
export { toolNamed, toolProgram, tools } from "./tools.ts";
