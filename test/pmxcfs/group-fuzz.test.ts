/** Seeded runs of cuts, heals, deaths and changes from all nodes: when all is quiet the trees are one, each database holds its tree, and nothing is lost that was acknowledged. */
import { expect, test } from "vitest";
import { Hasher, Rng } from "../../src/engine/kernel/index.ts";
import { loadRows } from "../../src/engine/pmxcfs/backend.ts";
import { Tree } from "../../src/engine/pmxcfs/tree.ts";
import { GroupBus, write } from "./group.ts";

const SEEDS = process.env.QUORATE_LONG === "1" ? 5000 : 300;
const NODES = 3;
const ACTS = 60;

const SPLITS: readonly (readonly (readonly number[])[])[] = [[[1, 2, 3]], [[1, 2], [3]], [[1], [2, 3]], [[1, 3], [2]], [[1], [2], [3]]];

interface Change {
  readonly node: number;
  readonly path: string;
  /** It was acknowledged when most nodes had it: what a leader alone has applied while the others still wait for its updates may be lost with it. */
  held(): boolean;
}

/** Daemons end in every second run: a few that were left may then have made more changes than those who had what was acknowledged, and theirs is the higher version. */
const mayLose = (seed: number): boolean => seed % 2 === 0;

/** Files are made and never deleted: who was told "done" finds them at the end, with what was written last where nobody wrote since. */
function run(seed: number): string | undefined {
  const rng = Rng.from("pmxcfs", String(seed));
  const bus = new GroupBus([101, 102, 103]);
  bus.split([1, 2, 3]);
  const made: Change[] = [];
  const absent = new Set<number>();
  let pid = 200;
  for (let i = 0; i < ACTS; i++) {
    bus.seconds++;
    const id = rng.between(1, NODES);
    const act = rng.between(0, 11);
    if (act === 0) bus.split(...rng.pick(SPLITS));
    else if (act === 1 && mayLose(seed)) {
      if (absent.delete(id)) {
        bus.node(id).restart(++pid);
        bus.join(id);
      } else {
        absent.add(id);
        bus.leave(id);
      }
    } else if (act < 7 && !absent.has(id)) {
      const path = `f${rng.between(0, 3) === 0 ? 0 : i}`;
      const count = bus.node(id).change(rng.between(0, 1) === 0 ? { op: "create", path } : write(path, `${i}`));
      const { held, member } = bus.node(id);
      if (typeof count === "number") made.push({ node: id, path, held: () => held.has(`${member.pid}/${count}`) });
    } else for (let n = rng.between(0, 6); n > 0; n--) bus.step((count) => rng.between(0, count - 1));
    if (rng.between(0, 7) === 0) {
      bus.run((count) => rng.between(0, count - 1));
      const apart = bus.apart();
      if (apart !== undefined) return `act ${i}: ${apart}`;
    }
    // Who was told to leave comes back by itself, as the daemon does.
    for (const node of bus.nodes) if (node.wantsToLeave && !absent.has(node.member.nodeId)) bus.join(node.member.nodeId);
  }
  for (const id of absent) {
    bus.node(id).restart(++pid);
    bus.join(id);
  }
  for (let round = 0; round < 3; round++) {
    bus.split([1, 2, 3]);
    bus.run((count) => rng.between(0, count - 1));
    for (const node of bus.nodes) if (node.wantsToLeave) bus.join(node.member.nodeId);
  }
  bus.run();
  return wrong(bus, mayLose(seed) ? [] : made);
}

function wrong(bus: GroupBus, made: readonly Change[]): string | undefined {
  const [first] = bus.nodes;
  for (const node of bus.nodes) {
    if (node.dfsm.mode !== "synced") return `node ${node.member.nodeId} is in mode ${node.dfsm.mode}`;
    if (node.digest() !== first?.digest()) return `node ${node.member.nodeId} has another tree than node 1`;
    const loaded = loadRows(node.rows.all());
    if ("refused" in loaded) return `node ${node.member.nodeId}: ${loaded.refused}`;
    const kept = new Tree(loaded.entries);
    if (treeDigest(kept) !== node.digest()) return `node ${node.member.nodeId}'s database is not its tree`;
  }
  const lost = made.find(({ path, held }) => held() && first?.memdb.tree.lookup(path) === undefined);
  return lost && `${lost.path}, acknowledged to node ${lost.node}, is lost`;
}

function treeDigest(tree: Tree): string {
  const h = new Hasher();
  tree.digest(h);
  return h.hex();
}

test(`${SEEDS} seeds`, { timeout: 600_000 }, () => {
  for (let seed = 0; seed < SEEDS; seed++) expect(`seed ${seed}: ${run(seed) ?? "ok"}`).toBe(`seed ${seed}: ok`);
});
