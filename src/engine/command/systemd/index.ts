/**
 * systemctl over the service manager of machine/systemd: its queries, what it does, and who answers it.
 */
export { jobAnswer, managerCall } from "./manager-calls.ts";
export { VERBS } from "./options.ts";
export * from "./requests.ts";
export type { SystemctlHost } from "./status.ts";
export * from "./systemctl.ts";
