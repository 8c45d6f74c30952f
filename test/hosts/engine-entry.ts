/** An engine to be loaded beside the one of the test: built by itself, with a rule broken. */
export { loadedMachines } from "../../src/engine/fuzz/index.ts";
