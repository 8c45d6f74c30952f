/** Lives of clusters drawn from seeds: drawing, living, shrinking. */
export * from "./life.ts";
export { lifeOf } from "./schedule.ts";
export { sendingNodes, type Tally } from "./sender.ts";
export { comeToRest, runWatched } from "./rest.ts";
export { ASSERTION, live, type Birth, type Lived } from "./run.ts";
export { minimise, type Failing, type Minimised } from "./minimise.ts";
