/**
 * What an act on a world comes to: whether it can be done, and what the machines do or notice of it. Pure functions of the fabric and of the machines there are. Doing it,
 * and its place in the order of events, is the world's (world.ts).
 */
import { interfaceMtu, type Fabric } from "../fabric/index.ts";
import type { MachineAct } from "../kernel/index.ts";
import { troubleWith } from "../kernel/check.ts";
import { isWorldAct } from "./act-shapes.ts";
import type { MachineRegistry } from "./machine-registry.ts";
import { checkTopology, machinesOf, noticed, type Topology } from "./topology.ts";
import type { ActResult, PacketName, WorldAct } from "./types.ts";

/** Why `act` cannot be done; undefined when it can. `underWay`: whether there is such a packet. */
export function checkAct(
  act: WorldAct,
  fabric: Fabric,
  registry: MachineRegistry,
  underWay: (packet: PacketName) => boolean,
): ActResult | undefined {
  const malformed = troubleWith(act, isWorldAct);
  if (malformed !== undefined) return { ok: false, code: "bad-act", message: `malformed act: ${malformed}` };
  switch (act.to) {
    case "machine":
      if (registry.numberOf(act.machine) >= 0) return undefined;
      return { ok: false, code: "no-such-machine", message: `no machine ${act.machine}; there are ${registry.names().join(", ")}` };
    case "fabric": {
      const message = fabric.check(act.act);
      return message === undefined ? undefined : { ok: false, code: "bad-fault", message };
    }
    case "packet": {
      const { source, target, net, sequence } = act.act;
      const message = `no packet ${sequence} from ${source} to ${target} is under way on ${net}`;
      return underWay(act.act) ? undefined : { ok: false, code: "no-such-packet", message };
    }
    case "lab": {
      const message = checkTopology(registry.topology, act.act, (name) => registry.removedDesign(name));
      return message === undefined ? undefined : { ok: false, code: "bad-change", message };
    }
  }
}

/** What machines do or notice when `act` is done, which `checkAct` must let pass: at most one act each, in the order in which it happens. */
export function consequencesOf(act: WorldAct, fabric: Fabric, topology: Topology): { machine: string; act: MachineAct }[] {
  switch (act.to) {
    case "machine":
      return [{ machine: act.machine, act: act.act }];
    case "lab":
      return noticed(topology, act.act);
    case "packet":
      return [];
    case "fabric": {
      const [before, after] = [fabric.faults(), fabric.after(act.act)];
      return machinesOf(topology).flatMap(({ name, nics }) => {
        const others = nics
          .map(({ net }) => ({ net, mtu: interfaceMtu(after, name, net) }))
          .filter(({ net, mtu }) => mtu !== interfaceMtu(before, name, net));
        return others.length === 0 ? [] : [{ machine: name, act: { kind: "nic-mtu" as const, nics: others } }];
      });
    }
  }
}
