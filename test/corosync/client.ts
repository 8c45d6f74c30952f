/** A client of corosync's services for tests: a process that does in its turns what it is told to, and keeps what it hears. */
import { MS, NEVER, type Instant, type IpcEvent, type Os, type Program, type ProgramEvent } from "../../src/engine/kernel/index.ts";
import type { BroughtProgram } from "../../src/engine/node/index.ts";
import { TestNetwork, type TestNetworkOptions } from "../node/lab.ts";

/** Between two turns of a client, where a test does not say otherwise. */
const TURN = 5 * MS;

export class TestClient implements Program {
  constructor(private readonly turn: number) {}

  os: Os | undefined;
  /** By service. */
  readonly connections = new Map<string, number>();
  readonly heard: { at: Instant; event: IpcEvent }[] = [];
  private plan: ((os: Os) => void)[] = [];
  private turnAt: Instant = NEVER;

  /** In its next turn. */
  next(run: (os: Os) => void): void {
    this.plan.push(run);
  }

  start(): void {
    this.turnAt = (this.os?.now ?? 0) + this.turn;
  }

  nextTimerAt(): Instant {
    return this.turnAt;
  }

  runTimer(now: Instant): void {
    this.turnAt = now + this.turn;
    const plan = this.plan;
    this.plan = [];
    for (const run of plan) if (this.os !== undefined) run(this.os);
  }

  handles(): readonly [] {
    return [];
  }

  signal(): void {
    return;
  }

  event(event: ProgramEvent): void {
    if (event.kind === "ipc") this.heard.push({ at: this.os?.now ?? 0, event: event.event });
  }

  /** Errors of the replies so far, "ok" where there is none, in order. */
  get answers(): string[] {
    return this.heard.flatMap(({ event }) => (event.what === "reply" ? [event.reply.error ?? "ok"] : []));
  }

  /** Notices of one name, as plain values. */
  notices(name: string): Readonly<Record<string, unknown>>[] {
    return this.heard.flatMap(({ event }) => (event.what === "notice" && event.notice.event === name ? [event.notice] : []));
  }

  snapshot(): undefined {
    return undefined;
  }

  restore(): void {
    throw new Error("a client of tests is in no snapshot");
  }

  digest(): void {
    return;
  }
}

export interface Clients {
  readonly network: TestNetwork;
  client(place: number): TestClient;
  /** Lets the client on a node do something, and everything that follows from it at that instant and a few milliseconds after. */
  now(place: number, run: (os: Os) => void): void;
}

/** A cluster with a client on every node. */
export function clients(names: readonly string[], options: TestNetworkOptions = {}, turn = TURN): Clients {
  const made = names.map(() => new TestClient(turn));
  const client = (place: number): TestClient => {
    const found = made[place];
    if (found === undefined) throw new Error(`no client ${place}`);
    return found;
  };
  const brought = (place: number): BroughtProgram => ({
    argv: ["client"],
    pid: 4711,
    make: (os) => {
      client(place).os = os;
      return client(place);
    },
  });
  const network = new TestNetwork(names, { ...options, brought });
  return {
    network,
    client,
    now: (place, run) => {
      client(place).next(run);
      network.runTo(network.now + 2 * turn);
    },
  };
}
