/** A process that runs a seeded schedule of faults by itself and prints its trace, so that another Node can be asked the same. Usage: schedule-process SEED NODES. */
import { runHere, scheduleFor, traceOf } from "./worlds.ts";

const [seed = "", nodes = ""] = process.argv.slice(2);
const world = runHere(scheduleFor(seed, Number(nodes)));
process.stdout.write(JSON.stringify({ version: process.versions.node, trace: traceOf(world) }));
