/**
 * A node's port over a world that nobody paces, for scenarios and tests: virtual time passes only while the whole shell waits, and stops at the first
 * thing any part of it waited for. What the shell asks for is done one after the other. So a line's run is determined by the world alone, whether its
 * machines are in this process or not.
 */
import type { Effect, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import { HOUR, NEVER } from "../../engine/kernel/time.ts";
import type { Instant } from "../../engine/kernel/time.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";
import { unpaced, type UnpacedHost } from "../../engine/host/index.ts";
import type { Plan, World } from "../../engine/world/index.ts";
import { MachinePort, type ShellAct } from "./machine-port.ts";
import type { Now, PortSession, Sleep } from "./port.ts";
import { PortError } from "./port.ts";

/** Longest virtual time one wait may take when nothing ends it: a command that never says anything, in a run without a time limit. */
const WAIT_MAX = 24 * HOUR;

interface Sleeper {
  at: Instant;
  wake: () => void;
  fail: (error: Error) => void;
}

export class WorldPort extends MachinePort {
  private readonly sleepers = new Set<Sleeper>();
  private readonly machine: number;
  private readonly goneListeners = new Set<(error: PortError) => void>();
  private nextId = 1;
  private woken = false;
  /** Everything that was asked for so far has been done when this settles. */
  private tail: Promise<unknown> = Promise.resolve();
  private readonly unwatch: () => void;

  constructor(
    private readonly world: World,
    node: string,
    private readonly host: UnpacedHost = unpaced(world),
  ) {
    super(node);
    if (!world.has(node)) throw new PortError("no-such-node", `no machine ${node}; there are ${world.names.join(", ")}`);
    this.machine = world.names.indexOf(node);
    this.unwatch = world.watch({ effect: (_at, machine, effect) => machine === this.machine && this.hear(effect) });
  }

  /** Looks on no more. */
  close(): void {
    this.unwatch();
  }

  query(query: MachineQuery): Promise<QueryReply> {
    return this.reachable(() => this.world.query(this.node, query));
  }

  look(calls: readonly FileCall[], session?: PortSession): Promise<readonly (FileReply | "would-wait")[]> {
    const whose = session ? { session: session.id } : {};
    return this.reachable(() => calls.map((call) => looked(this.world.query(this.node, { kind: "file", call, ...whose }))));
  }

  protected act(act: ShellAct): Promise<void> {
    return this.reachable(async () => {
      const result = await this.host.act({ to: "machine", machine: this.node, act });
      if (!result.ok) throw new PortError(result.code, result.message);
    });
  }

  /** Unique in the lab and the same in every run: the instant, the machine, the count of acts. */
  protected newId(): string {
    return `shell-${this.node}-${this.world.now}-${this.world.inputs().length}-${this.nextId++}`;
  }

  sleep(duration: number): Sleep {
    const sleeper: Sleeper = { at: this.world.now + duration, wake: () => undefined, fail: () => undefined };
    const done = new Promise<void>((resolve, reject) => {
      sleeper.wake = resolve;
      sleeper.fail = reject;
    });
    // Whoever has stopped waiting for it does not hear of its end either.
    done.catch(() => undefined);
    this.sleepers.add(sleeper);
    return { done, cancel: () => this.sleepers.delete(sleeper) };
  }

  now(): Promise<Now> {
    return this.reachable(() => ({ instant: this.world.now, epoch: this.world.design.epochUnixMicros }));
  }

  onGone(listener: (error: PortError) => void): () => void {
    this.goneListeners.add(listener);
    return () => this.goneListeners.delete(listener);
  }

  waiting(waiting: boolean): void {
    if (waiting) this.inTurn(() => this.host.follow(this.passing())).catch((error: unknown) => this.fail(error));
  }

  protected woke(): void {
    this.woken = true;
  }

  /** Does `work` when everything before it is done. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(work);
    this.tail = turn.catch(() => undefined);
    return turn;
  }

  private reachable<T>(work: () => T | Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      const { power, booting } = this.world.status(this.node);
      if (power === "off") throw new PortError("node-off", `${this.node} is powered off`);
      if (booting) throw new PortError("node-off", `${this.node} is booting`);
      return work();
    });
  }

  /** Lets time pass until something this shell waits for has come. */
  private *passing(): Plan<void> {
    this.woken = false;
    const limit = this.world.now + WAIT_MAX;
    while (!this.woken && (this.sleepers.size > 0 || this.underWay > 0)) {
      const due = [...this.sleepers].reduce((least, sleeper) => Math.min(least, sleeper.at), NEVER);
      if (due < NEVER && this.world.nextAt() >= due) {
        if (due > this.world.now) yield due;
        this.wakeSleepers();
      } else if (this.world.nextAt() >= limit) {
        yield limit;
        this.failAll(new PortError("time-out", `nothing happened on ${this.node} for ${WAIT_MAX / HOUR} virtual hours`));
        return;
      } else yield "event";
    }
  }

  /** The world has broken: whoever waits is told. */
  private fail(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.failAll(error);
    for (const sleeper of this.sleepers) sleeper.fail(error);
    this.sleepers.clear();
  }

  private wakeSleepers(): void {
    for (const sleeper of [...this.sleepers]) {
      if (sleeper.at > this.world.now) continue;
      this.sleepers.delete(sleeper);
      sleeper.wake();
      this.woken = true;
    }
  }

  private hear(effect: Effect): void {
    if (effect.kind === "trace") {
      if (effect.event.what === "power" && effect.event.state === "off") this.lost();
    } else this.take(effect);
  }

  private lost(): void {
    const error = new PortError("node-off", `Connection to ${this.node} closed.`);
    this.failAll(error);
    for (const listener of [...this.goneListeners]) listener(error);
  }
}

/** What a question about files was answered, as a file call is. */
export function looked(reply: QueryReply): FileReply | "would-wait" {
  if (reply.kind === "file-reply") return reply.reply;
  if (reply.kind === "would-wait") return "would-wait";
  throw new PortError("protocol", `unexpected answer to a file call: ${reply.kind}`);
}
