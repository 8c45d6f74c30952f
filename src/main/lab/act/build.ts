/** Another lab inside one that runs, built from nothing or imported: everything that is there is taken away, and a lab as `up` makes it stands in its place. */
import type { FabricNetwork } from "../../../engine/fabric/index.ts";
import type { TopologyAct, WorldAct, WorldDesign } from "../../../engine/world/index.ts";
import type { Request } from "../api.ts";
import { worldDesign } from "../file/design.ts";
import { defaultLabFile } from "../file/default-lab.ts";
import { importedLab } from "../file/import.ts";
import { planned, type PlannedAct } from "./kind.ts";

type Spec = Omit<Extract<Request, { op: "build" }>, "op">;

const sameNet = (a: FabricNetwork) => (b: FabricNetwork) => a.name === b.name && a.cidr === b.cidr;

/** The seed and the calendar stay those of the lab. */
const EPOCH = "2026-01-01T00:00:00Z";

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

/** Throws Trouble (usage) for counts out of range. */
export function planBuild(spec: Spec, design: WorldDesign): PlannedAct {
  const { nodes, networks, clustered, qdevice } = spec;
  const built = worldDesign(
    defaultLabFile({ nodes, links: networks, clustered, qdevice, name: design.name, seed: design.seed, epoch: EPOCH }),
  );
  const said = `built from nothing: ${count(nodes, "machine")} on ${count(networks, "network")}${qdevice ? " and a qnetd host" : ""}${clustered ? ", one cluster" : ""}`;
  return replaced(design, built, said);
}

/** The lab of a corosync.conf in the place of what is there. Throws Trouble (usage) with the place of the first error where real corosync would refuse the file. */
export function planImport({ text, name }: Pick<Extract<Request, { op: "import" }>, "text" | "name">, design: WorldDesign): PlannedAct {
  const built = worldDesign({ ...importedLab(text, name), seed: design.seed, epoch: EPOCH });
  const said = `imported ${name}: ${count(built.machines.length, "machine")} on ${count(built.networks.length, "network")}`;
  return replaced(design, built, said);
}

function replaced(design: WorldDesign, built: WorldDesign, said: string): PlannedAct {
  const lab: TopologyAct[] = [
    ...design.machines.map(({ name }): TopologyAct => ({ kind: "machine-remove", machine: name })),
    ...design.networks
      .filter((net) => !built.networks.some(sameNet(net)))
      .map(({ name }): TopologyAct => ({ kind: "net-remove", net: name })),
    ...built.networks.filter((net) => !design.networks.some(sameNet(net))).map((net): TopologyAct => ({ kind: "net-add", net })),
    ...built.machines.map((machine): TopologyAct => ({ kind: "machine-add", machine })),
  ];
  return planned([...lab.map((act): WorldAct => ({ to: "lab", act })), { to: "fabric", act: { kind: "heal" } }], said);
}

/** A machine that came where one of its name had gone, on its way out again: under another name, so that the one of the name comes back from those taken away. */
export function underAnotherName(act: TopologyAct, taken: readonly string[]): TopologyAct[] {
  if (act.kind !== "machine-remove" || !taken.includes(act.machine)) return [act];
  let aside = `${act.machine.slice(0, 56)}-aside`;
  for (let k = 2; taken.includes(aside); k++) aside = `${act.machine.slice(0, 56)}-aside${k}`;
  return [
    { kind: "machine-rename", machine: act.machine, to: aside },
    { kind: "machine-remove", machine: aside },
  ];
}
