/**
 * The exact shapes of acts on a world, for checking them at every rim: where a client asks for one, where a worker is told, where a record is read. They follow types.ts and
 * topology.ts. Left out: whether it can be done in the world as it stands (act-effects.ts).
 */
import { RELEASES } from "../config/index.ts";
import { isFabricAct, isFabricNetwork } from "../fabric/act-shapes.ts";
import { isMachineAct, isNicDesign } from "../kernel/act-shapes.ts";
import { isBytes, isCount, isMode, isText, listOf, oneOf, shape, variants, type Check } from "../kernel/check.ts";
import type { TopologyAct } from "./topology.ts";
import type { WorldAct } from "./types.ts";

const kind = isText;
const texts = listOf(isText);

/** What a machine is built from, apart from the fields that only some machines have. */
export const isMachineDesign: Check = shape(
  {
    kind: oneOf("node", "qnetd"),
    name: isText,
    hostname: isText,
    domain: isText,
    nics: listOf(isNicDesign),
    hosts: listOf(shape({ address: isText, names: texts })),
    files: listOf(shape({ path: isText, data: isBytes }, { mode: isMode })),
    boot: isCount,
    disabledUnits: texts,
    power: oneOf("on", "off"),
  },
  { packages: texts, release: oneOf(...RELEASES) },
);

const topologyActs: { readonly [K in TopologyAct["kind"]]: Check } = {
  "machine-add": shape({ kind, machine: isMachineDesign }),
  "machine-remove": shape({ kind, machine: isText }),
  "machine-restore": shape({ kind, machine: isText }),
  "machine-rename": shape({ kind, machine: isText, to: isText }),
  "machine-release": shape({ kind, machine: isText, release: oneOf(...RELEASES) }),
  "net-add": shape({ kind, net: isFabricNetwork }),
  "net-remove": shape({ kind, net: isText }),
  "net-rename": shape({ kind, net: isText, to: isText }),
  "nic-add": shape({ kind, machine: isText, nic: isNicDesign }, { place: isCount }),
  "nic-remove": shape({ kind, machine: isText, net: isText }),
  "nic-rename": shape({ kind, machine: isText, net: isText, to: isText }),
};

const to = isText;
const worldActs: { readonly [K in WorldAct["to"]]: Check } = {
  machine: shape({ to, machine: isText, act: isMachineAct }),
  fabric: shape({ to, act: isFabricAct }),
  lab: shape({ to, act: variants("kind", topologyActs) }),
  packet: shape({ to, act: shape({ kind: oneOf("packet-drop"), source: isText, target: isText, net: isText, sequence: isCount }) }),
};

export const isWorldAct: Check = variants("to", worldActs);
