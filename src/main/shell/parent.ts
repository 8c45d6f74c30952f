/** A program that runs a person's lines goes with the process that started it. Where the kernel does not see to it, a thread does: the main one may be busy for ever. */
import { Worker } from "node:worker_threads";
import type { FromSession } from "../lab/protocol.ts";
import { BOUND } from "../lab/process/session/bound.ts";

/** How often the thread looks, ms. */
const LOOK_MS = 250;

const WATCH = `
const { workerData } = require("node:worker_threads");
const cell = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(cell, 0, 0, workerData.lookMs);
  if (process.ppid !== workerData.parent) process.kill(process.pid, "SIGKILL");
}`;

export function endWithParent(): void {
  const parent = process.ppid;
  const bound = process.env[BOUND];
  if (bound === undefined) new Worker(WATCH, { eval: true, workerData: { parent, lookMs: LOOK_MS } }).unref();
  // The parent was gone before the kernel had been asked.
  else if (bound !== String(parent)) process.exit(129);
}

/** Says something to the parent. One that has gone hears nothing: without somebody to tell of it, Node takes that for a fault of this process and writes it into the lab's log. */
export function tellParent(message: FromSession): void {
  if (process.connected) process.send?.(message, () => undefined);
}
