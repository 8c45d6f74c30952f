/** `disk NODE ok|full|read-only|error|slow MS`: what is wrong with the disk of a machine. It stays so until the next of these lines, whatever the power does. */
import type { DiskFault, Duration } from "../../../engine/kernel/index.ts";
import type { WorldAct } from "../../../engine/world/index.ts";
import { usage } from "../trouble.ts";
import { oneOf } from "./command-line.ts";
import { knownMachine, planned, type ActKind } from "./kind.ts";

const FAULTS: { readonly [verb: string]: DiskFault } = { ok: "none", full: "full", "read-only": "read-only", error: "io-error" };
const VERBS = [...Object.keys(FAULTS), "slow"];
const MS_MAX = 60_000;

function commitMicros(text: string | undefined): Duration {
  const bare = (text ?? "").replace(/ms$/, "");
  if (!/^\d+(\.\d+)?$/.test(bare) || !(Math.round(Number(bare) * 1000) > 0) || Number(bare) > MS_MAX)
    throw usage(
      `disk: slow ${JSON.stringify(text ?? "")}: milliseconds of virtual time that each commit takes, more than 0, at most ${MS_MAX}`,
    );
  return Math.round(Number(bare) * 1000);
}

const onMachine = (machine: string, fault: DiskFault, micros: Duration): WorldAct => ({
  to: "machine",
  machine,
  act: { kind: "disk-device", fault, commitMicros: micros },
});

const ok = (act: { readonly fault: DiskFault; readonly commitMicros: Duration }): boolean => act.fault === "none" && act.commitMicros === 0;

export const disk: ActKind = {
  head: "disk",
  usage: "NODE ok|full|read-only|error|slow MS",
  read(args, scene) {
    const [node, verb, ms, ...more] = args;
    if (node === undefined || verb === undefined) throw usage(`disk: ${this.usage}`);
    knownMachine(node, scene);
    oneOf(verb, VERBS, "state of a disk");
    if (more.length > 0 || (verb !== "slow" && ms !== undefined)) throw usage(`disk: ${this.usage}`);
    if (verb !== "slow") return planned([onMachine(node, FAULTS[verb] ?? "none", 0)], `disk of ${node}: ${verb}`);
    const micros = commitMicros(ms);
    return planned([onMachine(node, "none", micros)], `disk of ${node}: slow, ${micros / 1000} ms a commit`);
  },
  line(act) {
    if (act.to !== "machine" || act.act.kind !== "disk-device") return undefined;
    const { fault, commitMicros: micros } = act.act;
    if (micros > 0) return `disk ${act.machine} slow ${micros / 1000}`;
    return `disk ${act.machine} ${Object.keys(FAULTS).find((verb) => FAULTS[verb] === fault) ?? "ok"}`;
  },
  opposite(act) {
    if (act.to !== "machine" || act.act.kind !== "disk-device" || ok(act.act)) return undefined;
    return onMachine(act.machine, "none", 0);
  },
};
