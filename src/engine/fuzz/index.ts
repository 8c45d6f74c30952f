/** Lives of clusters drawn from seeds: drawing, living, shrinking. */
export * from "./life.ts";
export { lifeOf } from "./schedule.ts";
export type { DeviceOptions } from "./options.ts";
export { placeOf, type Variant } from "./reloads.ts";
export { loadedMachines, sendingNodes, type Tally } from "./sender.ts";
export { comingToRest, watched } from "./rest.ts";
export { ASSERTION, live, type Birth, type Lived } from "./run.ts";
export { minimise, type Failing, type Minimised } from "./minimise.ts";
