export { jobAnswer, managerCall } from "./manager-calls.ts";
export { VERBS } from "./options.ts";
export type { SystemctlHost } from "./status.ts";
export * from "./systemctl.ts";
