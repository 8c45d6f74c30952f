/** The two hosts a run without a lab can have: every machine in this process, or each a process of its own. The run is the same. */
import { LocalMover, type Mover } from "../../../engine/host/mover.ts";
import { loadedMachines, type Load } from "../../../engine/fuzz/index.ts";
import { World, type WorldDesign } from "../../../engine/world/index.ts";
import { entry } from "./entries.ts";
import { scratchDir } from "../store/paths.ts";
import { Trouble } from "../trouble.ts";

export type HostKind = "inprocess" | "workers";

/** What runs: its machines, and what a program on each multicasts. */
interface Run {
  design: WorldDesign;
  load: Load | undefined;
}

/** Lets `work` move a new world of `run`. On workers there is no process and no socket left afterwards; one that is lost ends the run with Trouble. */
export async function onHost<T>(host: HostKind, run: Run, work: (mover: Mover) => Promise<T>): Promise<T> {
  const { design, load } = run;
  if (host === "inprocess") return work(new LocalMover(new World(design, loadedMachines(load))));
  // What speaks to processes is not loaded where there are none.
  const [{ Crew }, { Hub }] = await Promise.all([import("../../../engine/host/crew.ts"), import("../../../engine/host/hub.ts")]);
  const { file, execArgv } = entry("worker");
  const dir = scratchDir();
  const crew = await Crew.open({ program: { file, execArgv }, ...(dir === undefined ? {} : { dir }) });
  try {
    const hub = await Hub.start(design, { crew, ...(load === undefined ? {} : { load }) });
    let lost: string | undefined;
    hub.attend({ lost: (machine, why) => (lost ??= `the process of ${machine} was lost: it ${why}`) });
    const result = await work(hub);
    await hub.close();
    // A run that is asked for twice is to be the same twice.
    if (lost !== undefined) throw new Trouble("lab", lost);
    return result;
  } finally {
    await crew.close();
  }
}
