/** A talker with a disk: every file that is written, and every tenth packet, is a commit. */
import type { Effect, Instant, MachineAct, Out } from "../../src/engine/kernel/index.ts";
import type { MachineDesign, WorldDesign } from "../../src/engine/world/index.ts";
import { Talker } from "./talker.ts";

export class Committer extends Talker {
  private seq = 0;

  constructor(world: WorldDesign, machine: MachineDesign) {
    super(world, machine);
    // A worker's machine sees of its world no other machine: three talkers know each other.
    this.peers = ["10.0.0.11", "10.0.0.12", "10.0.0.13"].filter((address) => address !== machine.nics[0]?.address);
  }

  private commit(out: Out): void {
    const commit: Effect = { kind: "commit", commit: { seq: ++this.seq, rows: [], chunks: [] } };
    out(commit);
  }

  override receive(...[now, datagram, out]: Parameters<Talker["receive"]>): void {
    super.receive(now, datagram, out);
    if (this.received().length % 10 === 0) this.commit(out);
  }

  override act(now: Instant, act: MachineAct, out: Out): void {
    super.act(now, act, out);
    if (act.kind === "file-write") this.commit(out);
  }

  override snapshot(): ReturnType<Talker["snapshot"]> {
    return { ...super.snapshot(), seq: this.seq };
  }

  override restore(state: ReturnType<Talker["snapshot"]>): void {
    super.restore(state);
    this.seq = Number(state["seq"]);
  }
}

export const makeCommitter = (world: WorldDesign, machine: MachineDesign): Committer => new Committer(world, machine);
