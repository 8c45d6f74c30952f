/**
 * An engine with a rule broken, built by itself: run as a program it is a worker, and loaded beside the engine of the test it gives its machines.
 */
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadedMachines } from "../../src/engine/fuzz/index.ts";
import { serve } from "../../src/engine/host/serve.ts";

export { loadedMachines };

if (realpathSync(process.argv[1] ?? "") === realpathSync(fileURLToPath(import.meta.url))) serve(loadedMachines);
