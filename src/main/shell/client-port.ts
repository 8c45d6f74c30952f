/** A node's port over the lab's API: what session processes and consoles use. */
import { unixFromIso } from "../../engine/kernel/time.ts";
import type { Effect, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";
import type { LabEvent } from "../lab/api.ts";
import type { LabClient } from "../lab/process/client.ts";
import { callToWire, effectFromWire, replyFromWire } from "../lab/shell/shell-wire.ts";
import { MachinePort, type ShellAct } from "./machine-port.ts";
import type { Now, PortSession, Sleep } from "./port.ts";
import { PortError } from "./port.ts";

function asPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "lab";
  return new PortError(code, error instanceof Error ? error.message : String(error));
}

async function asked<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw asPortError(error);
  }
}

/** How often a running line looks whether its machine is still there, ms. */
const LOOK_MS = 500;

/** What the lab says on behalf of a command whose machine went away. */
const closedText = (node: string): string => `Connection to ${node} closed.`;

type WireQueryReply = Exclude<QueryReply, { kind: "file" }> | { kind: "file"; data: string };

export class ClientPort extends MachinePort {
  private readonly goneListeners = new Set<(error: PortError) => void>();
  private timer: NodeJS.Timeout | undefined;
  /** Instant of the power-on this port belongs to. */
  private since: number | undefined;
  private stalled = false;
  private nextId = 1;

  constructor(
    private readonly client: LabClient,
    node: string,
    /** Whether this shell's computing stops the lab's time: yes for scripted lines, no for a person's terminal. */
    private claimsFloor: boolean,
  ) {
    super(node);
    client.onEvent((event) => this.hear(event));
    client.closed.then(
      (reason) => this.failAll(new PortError("lab", reason)),
      () => undefined,
    );
  }

  async query(query: MachineQuery): Promise<QueryReply> {
    // Only what a shell asks stands in the API; a list that may not be written to is one that may here.
    const reply = (await asked(this.client.call({ op: "query", node: this.node, query: query as never }))) as WireQueryReply;
    return reply.kind === "file" ? { kind: "file", data: new Uint8Array(Buffer.from(reply.data, "base64")) } : reply;
  }

  async look(calls: readonly FileCall[], session?: PortSession): Promise<readonly (FileReply | "would-wait")[]> {
    const whose = session ? { session: session.id } : {};
    const { replies } = await asked(this.client.call({ op: "look", node: this.node, calls: calls.map(callToWire), ...whose }));
    return replies.map(replyFromWire);
  }

  protected async act(act: ShellAct): Promise<void> {
    const wire: Record<string, unknown> = act.kind === "file" ? { ...act, call: callToWire(act.call) } : { ...act };
    await asked(this.client.call({ op: "shell", node: this.node, act: wire }));
  }

  protected newId(): string {
    return String(this.nextId++);
  }

  protected woke(): void {
    // the lab's time goes on by itself
  }

  sleep(duration: number): Sleep {
    const done = asked(this.client.call({ op: "sleep", node: this.node, duration: Math.round(duration) })).then(() => undefined);
    done.catch(() => undefined);
    return { done, cancel: () => undefined };
  }

  async now(): Promise<Now> {
    const time = await asked(this.client.call({ op: "time" }));
    return { instant: time.instant, epoch: unixFromIso(time.epoch) ?? 0 };
  }

  onGone(listener: (error: PortError) => void): () => void {
    this.goneListeners.add(listener);
    if (!this.timer) {
      this.since = undefined;
      this.stalled = false;
      this.timer = setInterval(() => void this.present(), LOOK_MS).unref();
      void this.present();
    }
    return () => {
      this.goneListeners.delete(listener);
      if (this.goneListeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  /** Looks whether the machine is the one this port began with; a reboot makes it another. @returns whether it is */
  private async present(): Promise<boolean> {
    let error: PortError | undefined;
    try {
      const { nodes } = await asked(this.client.call({ op: "status", node: this.node }));
      const machine = nodes.find((node) => node.name === this.node);
      this.since ??= machine?.powerSince;
      // a machine that stands still comes back with all that ran on it
      const there =
        machine !== undefined &&
        machine.power !== "off" &&
        (machine.power === "stalled" || machine.powerSince === this.since || this.stalled);
      this.stalled = machine?.power === "stalled";
      if (there) this.since = machine.powerSince;
      else error = new PortError("node-off", closedText(this.node));
    } catch (failure) {
      error = asPortError(failure);
    }
    if (!error) return true;
    this.lost(error);
    return false;
  }

  private lost(error: PortError): void {
    for (const listener of [...this.goneListeners]) listener(error);
    this.failAll(error);
  }

  waiting(waiting: boolean): void {
    if (this.claimsFloor) this.client.call({ op: "floor", hold: !waiting }).catch(() => undefined);
  }

  /** Nobody waits for this shell any more: what goes on in it stops no time. */
  yieldFloor(): void {
    this.waiting(true);
    this.claimsFloor = false;
  }

  private hear(event: LabEvent): void {
    if (event.event === "shell-effect") {
      const effect = effectFromWire(event.effect);
      if (couldBeLost(effect)) void this.ended(effect);
      else this.take(effect);
    } else if (event.event === "rolled-back") this.lost(new PortError("node-off", closedText(this.node)));
  }

  /** What a power cut ends may have ended by something else. */
  private async ended(effect: Effect): Promise<void> {
    if (await this.present()) this.take(effect);
  }
}

function couldBeLost(effect: Effect): boolean {
  if (effect.kind === "exit") return effect.status === 255 || effect.status === 137;
  return effect.kind === "session-ended" && "signal" in effect.exit && effect.exit.signal === "SIGKILL";
}
