/** A process that runs a hub at full speed until somebody ends it, and tells who its workers are. Usage: hub-process WORKER-PROGRAM, with a channel. */
import { Crew } from "../../src/engine/host/crew.ts";
import { Hub } from "../../src/engine/host/hub.ts";
import { clusterDesign } from "./worlds.ts";

const crew = await Crew.open({ program: { file: process.argv[2] ?? "", execArgv: [] } });
const hub = await Hub.start(clusterDesign("hub process", 3), { crew });
process.send?.({ pids: crew.pids, address: crew.address });
for (;;) await hub.runWindow();
