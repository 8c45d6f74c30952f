/**
 * systemd as a part of a machine: units from files, the manager that runs them, enabling and masking, and the view of those who only ask. It touches the machine through the
 * hooks it is given and nothing else.
 */
export * from "./definition.ts";
export * from "./files.ts";
export * from "./hooks.ts";
export * from "./manager.ts";
export * from "./names.ts";
export * from "./record.ts";
export type { Refusal } from "./transaction.ts";
export { layUnits, packagedServices } from "./lay-units.ts";
export { localServices } from "./local-services.ts";
export { UnitFiles, type FileState, type Installed } from "./install.ts";
export { exitText } from "./exits.ts";
export { checkText } from "./checks.ts";
export { spanText, parseSignal } from "./values.ts";
export * from "./view.ts";
export type { Verb } from "./verbs.ts";
export { portFiles } from "./port-files.ts";
