/** Fault schedules drawn from seeds: drawing, playing, shrinking. */
export * from "./fault-schedule.ts";
export { drawSchedule } from "./draw.ts";
export type { DeviceOptions } from "./options.ts";
export { movedBy, placeOf } from "./reloads.ts";
export type { Variant } from "./variants.ts";
export { loadedMachines, sendingNodes } from "./sender.ts";
export type { Tally } from "./load.ts";
export { comingToRest, watched } from "./rest.ts";
export { ASSERTION, runSchedule, type WorldMaker, type ScheduleRun } from "./run.ts";
export { minimise, type Failing, type Minimised } from "./minimise.ts";
