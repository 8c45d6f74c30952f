/** A process that lives a seeded life in itself and prints its trace, so that another Node can be asked the same. Usage: life-process SEED NODES. */
import { liveHere, scheduleFor, traceOf } from "./worlds.ts";

const [seed = "", nodes = ""] = process.argv.slice(2);
const world = liveHere(scheduleFor(seed, Number(nodes)));
process.stdout.write(JSON.stringify({ version: process.versions.node, trace: traceOf(world) }));
