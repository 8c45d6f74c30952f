/** The two hosts a run without a lab can have: every machine in this process, or each followed by a process of its own. The run is the same. */
import { UnpacedHost, unpaced, type HostKind } from "../../../engine/host/index.ts";
import { loadedMachines, type Load } from "../../../engine/fuzz/index.ts";
import { World, type WorldDesign } from "../../../engine/world/index.ts";
import { entry } from "./entries.ts";
import { scratchDir } from "../store/paths.ts";
import { Trouble } from "../trouble.ts";

/** What runs: its machines, and what a program on each multicasts. */
interface Run {
  design: WorldDesign;
  load: Load | undefined;
}

/** Lets `work` move a new world of `run`. On workers there is no process and no socket left afterwards; one that is lost ends the run with Trouble. */
export async function onHost<T>(kind: HostKind, run: Run, work: (host: UnpacedHost) => Promise<T>): Promise<T> {
  const { design, load } = run;
  if (kind === "inprocess") return work(unpaced(new World(design, loadedMachines(load))));
  // What speaks to processes is not loaded where there are none.
  const [{ WorkerPool }, { Hub }] = await Promise.all([
    import("../../../engine/host/worker-pool.ts"),
    import("../../../engine/host/hub.ts"),
  ]);
  const { file, execArgv } = entry("worker");
  const dir = scratchDir();
  const pool = await WorkerPool.open({ program: { file, execArgv }, ...(dir === undefined ? {} : { dir }) });
  try {
    const hub = await Hub.start(design, { pool, ...(load === undefined ? {} : { load }) });
    let lost: string | undefined;
    hub.attend({ lost: (machine, why) => (lost ??= `the process of ${machine} was lost: it ${why}`) });
    const result = await work(new UnpacedHost(hub));
    // What has not been confirmed is not known to be true.
    await hub.whenConfirmed();
    await hub.close();
    // A run that is asked for twice is to be the same twice.
    if (lost !== undefined) throw new Trouble("lab", lost);
    return result;
  } finally {
    await pool.close();
  }
}
