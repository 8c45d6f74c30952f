/** Worlds for the worker tests: seeded lives of clusters, as long as wanted, with all that happens to them. */
import { makeNode } from "../../src/engine/node/index.ts";
import { World, type WorldDesign } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/design.ts";
import { freshLabFile } from "../../src/main/lab/fresh.ts";

/** A cluster of `nodes` that boots at instant 0. */
export function clusterDesign(seed: string, nodes: number, links = 1): WorldDesign {
  return worldDesign(freshLabFile({ nodes, links, clustered: true, name: seed, seed, epoch: "2026-01-01T00:00:00Z" }));
}

/** The same in this process. */
export function worldHere(design: WorldDesign): World {
  return new World(design, makeNode);
}
