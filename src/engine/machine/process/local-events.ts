/**
 * The local events of one machine: what its processes and its kernel have for each other at the present instant, first in, first out, before anything else happens in the world. Each is
 * mixed into a rolling hash when its turn comes, so that two hosts that handle them in another order have another digest. In the real stack: the run queue and the wake-ups on it.
 * Left out: several processors.
 */
import { Hasher, SIGNALS, type IpcEvent, type ProcessExit, type ProgramEvent, type Signal } from "../../kernel/index.ts";

export type LocalEvent =
  | { readonly to: "process"; readonly serial: number; readonly event: ProgramEvent }
  /** exec(2) is over. */
  | { readonly to: "start"; readonly serial: number }
  | { readonly to: "signal"; readonly serial: number; readonly signal: Signal }
  /** A part of the kernel, by its name, hears of its local connections. */
  | { readonly to: "kernel"; readonly party: string; readonly event: IpcEvent }
  /** The service manager: a child of pid 1 has ended, or a process has said that it is ready. */
  | { readonly to: "manager"; readonly what: "ended"; readonly serial: number; readonly pid: number; readonly exit: ProcessExit }
  | { readonly to: "manager"; readonly what: "ready"; readonly serial: number; readonly pid: number };

export class LocalEvents {
  private queue: LocalEvent[] = [];
  private head = 0;
  private trail = new Hasher();

  get empty(): boolean {
    return this.head === this.queue.length;
  }

  post(event: LocalEvent): void {
    this.queue.push(event);
  }

  /** The next one, which counts as handled. */
  take(): LocalEvent | undefined {
    const event = this.queue[this.head];
    if (event === undefined) {
      if (this.head > 0) this.queue = [];
      this.head = 0;
      return undefined;
    }
    this.head++;
    mixLocal(this.trail, event);
    return event;
  }

  /** The power went. */
  clear(): void {
    this.queue = [];
    this.head = 0;
  }

  /** Between two events of the world nothing waits, so that the hash is all there is. */
  snapshot(): readonly [number, number] {
    if (!this.empty) throw new Error("a snapshot in the middle of local events");
    return this.trail.snapshot();
  }

  restore(state: readonly [number, number]): void {
    this.clear();
    this.trail = Hasher.restore(state);
  }

  digest(h: Hasher): void {
    const [a, b] = this.trail.snapshot();
    h.int(a).int(b);
  }
}

function mixLocal(h: Hasher, local: LocalEvent): void {
  h.text(local.to);
  switch (local.to) {
    case "process":
      h.int(local.serial);
      mixEvent(h, local.event);
      return;
    case "start":
      h.int(local.serial);
      return;
    case "signal":
      h.int(local.serial).int(SIGNALS[local.signal]);
      return;
    case "kernel":
      h.text(local.party);
      mixIpc(h, local.event);
      return;
    case "manager":
      h.text(local.what).int(local.serial).int(local.pid);
      if (local.what === "ended") mixExit(h, local.exit);
  }
}

function mixExit(h: Hasher, exit: ProcessExit): void {
  if ("code" in exit) h.int(exit.code);
  else h.text(exit.signal);
}

/** What names the event; what it carries follows from states that are in a digest of their own. */
export function mixEvent(h: Hasher, event: ProgramEvent): void {
  h.text(event.kind);
  switch (event.kind) {
    case "datagram":
      h.text(event.datagram.dst).int(event.datagram.dstPort).bytes(event.datagram.bytes);
      return;
    case "tcp":
      h.text(event.event.kind).int(event.event.id);
      return;
    case "ipc":
      mixIpc(h, event.event);
      return;
    case "file":
      h.int(event.id).text(event.reply.ok ? event.reply.value : event.reply.errno);
      return;
    case "served":
      h.int(event.served.id).int(event.served.mount).text(event.served.request.op);
      return;
    case "unmounted":
      h.int(event.mount);
      return;
    case "child":
      h.int(event.pid);
      mixExit(h, event.exit);
      return;
    case "input":
      h.bool(event.line === undefined).text(event.line ?? "");
  }
}

function mixIpc(h: Hasher, event: IpcEvent): void {
  h.text(event.what).int(event.id);
  if (event.what === "reply") h.int(event.seq).text(event.reply.error ?? "");
  else if (event.what === "request") h.int(event.seq).text(event.request.call);
  else if (event.what === "notice") h.text(event.notice.event);
  else if (event.what === "accepted") h.text(event.service).int(event.peer);
}
