/** The machines, networks and cards that an acting line may name. */
import type { WorldDesign } from "../../../engine/world/index.ts";

/** Names an acting line may use. */
export interface Places {
  nodes: readonly string[];
  networks: readonly string[];
  /** Networks of each node. */
  nics: ReadonlyMap<string, readonly string[]>;
}

/** What a line may name now. */
export function placesOf({ machines, networks }: WorldDesign): Places {
  return {
    nodes: machines.map((m) => m.name),
    networks: networks.map((n) => n.name),
    nics: new Map(machines.map((m) => [m.name, m.nics.map((nic) => nic.net)])),
  };
}
