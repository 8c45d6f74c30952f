/** The invariants of a cluster, kept in a lab that runs: they look on at everything its world does. */
import { SEC, type Instant } from "../../../engine/kernel/index.ts";
import { InvariantWatch, type Violation } from "../../../engine/world/checkers/index.ts";
import type { World } from "../../../engine/world/index.ts";

/** Virtual time between two looks at what all nodes believe. */
const lookEvery = SEC / 2;

export class LiveInvariants {
  private watch: InvariantWatch;
  private unwatch: () => void = () => undefined;
  private lookedAt: Instant = 0;
  private told = false;

  constructor(private readonly world: World) {
    this.watch = this.begin();
  }

  /** Looks on from here: what was before is another run's. */
  begin(): InvariantWatch {
    const { world } = this;
    this.unwatch();
    this.watch = new InvariantWatch(world);
    this.watch.begin(world.statuses(), world.inputs());
    this.unwatch = world.watch(this.watch);
    this.lookedAt = world.now;
    this.told = false;
    return this.watch;
  }

  /** The first that was broken and its sentence, told once. Ask whenever time has gone on. */
  broken(): (Violation & { sentence: string }) | undefined {
    const { world } = this;
    if (world.now - this.lookedAt >= lookEvery && !world.midInstant) {
      this.lookedAt = world.now;
      this.watch.look(world.now, world.statuses());
    }
    const [first] = this.watch.violations;
    if (first === undefined || this.told) return undefined;
    this.told = true;
    return { ...first, sentence: this.watch.sentenceOf(first.invariant) ?? first.invariant };
  }
}
