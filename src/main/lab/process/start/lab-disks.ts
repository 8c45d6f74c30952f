/** The nodes' disks when a lab is brought up, after a crash cut at what had been told: what lies there is compared with what each node had in mind, and counts. */
import type { DiskDifference } from "../../../../engine/host/index.ts";
import type { DiskCut } from "../../../../engine/host/disk/crash-cut.ts";
import type { NodeDisks } from "../../../../engine/host/disk/node-disks.ts";
import type { World, WorldAct } from "../../../../engine/world/index.ts";

/** The difference in a sentence. */
export function differenceSaid(machine: string, difference: DiskDifference): string {
  if (difference.found === "damaged")
    return `${difference.why}; it was put aside as ${difference.aside}, and ${machine} has its disk as the lab had it in mind`;
  const who = difference.foreign > 0 ? "somebody else than the lab wrote to it" : "something else lies there";
  return `the disk of ${machine} is not as the lab left it: ${who}; ${machine} boots from what is there`;
}

function overwrittenSaid(machine: string, rows: number): string {
  const what = rows === 1 ? "a row" : `${rows} rows`;
  return `on the disk of ${machine} somebody else than the lab wrote to ${what} that the node itself had changed last: what the node wrote counts`;
}

/**
 * Has every machine of a world that nobody moves yet stand on its disk, as far as `cut` keeps it. One that is on and finds another disk than its own loses its power and boots from it.
 * @param recorded is called after every act
 * @returns what is to be said, and whether a machine boots
 */
export function standOnDisks(world: World, disks: NodeDisks, cut: DiskCut, recorded: () => void): { said: string[]; boots: boolean } {
  const said: string[] = [];
  let boots = false;
  let mended = 0;
  const act = (machine: string, own: Extract<WorldAct, { to: "machine" }>["act"]): void => {
    const result = world.act({ to: "machine", machine, act: own });
    if (!result.ok) throw new Error(result.message);
    recorded();
  };
  for (const name of world.names) {
    const number = world.numberOf(name);
    const machine = world.machineAt(number);
    if (machine === undefined) continue;
    const own = machine.diskImage();
    const found = disks.look(number, cut.until(number), own, cut.seq(number));
    disks.release(number);
    mended += disks.mend(own);
    if (found.found === "same" && found.overwritten !== undefined) said.push(overwrittenSaid(name, found.overwritten));
    if (found.found === "same" || found.found === "nothing") continue;
    said.push(differenceSaid(name, found));
    if (found.found === "damaged") continue;
    const on = world.status(name).power !== "off";
    if (on) act(name, { kind: "power-cut" });
    act(name, { kind: "disk", image: found.image, chunks: found.chunks });
    if (on) act(name, { kind: "power-on" });
    boots ||= on;
  }
  if (mended > 0)
    said.push(
      `${disks.contents.file} was damaged: ${mended === 1 ? "a piece of a file was" : `${mended} pieces of files were`} written anew`,
    );
  return { said, boots };
}
