/**
 * systemctl over the service manager of machine/systemd: its queries, its run as a generator of requests, and who answers them.
 */
export { jobAnswer, managerCall } from "./manager-calls.ts";
export { VERBS } from "./options.ts";
export * from "./requests.ts";
export type { SystemctlHost } from "./status.ts";
export * from "./systemctl.ts";
