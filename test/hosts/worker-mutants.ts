/** Engines with one rule broken, of which a worker is built: its digest differs from the hub's, and the message names the first event. */
import type { Patch } from "../fuzz/bundle.ts";

export interface WorkerMutant {
  readonly rule: string;
  readonly patch: Patch;
  /** The message, after the name of the machine. */
  readonly told: RegExp;
}

export const workerMutants: readonly WorkerMutant[] = [
  {
    rule: "knet: a ping is sent half as often",
    patch: {
      file: "knet/link.ts",
      find: "return l.pingLast < 0 || now - l.pingLast >= p.pingIntervalMs * 1000;",
      replace: "return l.pingLast < 0 || now - l.pingLast >= p.pingIntervalMs * 2000;",
    },
    told: /its process (does something else|sets another timer) at the timer of \d+/,
  },
  {
    rule: "totem: a message gets the number of the one before it",
    patch: { file: "totem/token.ts", find: "seq: ++token.seq,", replace: "seq: token.seq," },
    told: /its process (does something else|sets another timer) at the (datagram|timer) of \d+/,
  },
  {
    rule: "cpg: the numbers of two reasons are changed for each other",
    patch: { file: "cpg/cpg.ts", find: "join: 1, leave: 2,", replace: "join: 2, leave: 1," },
    told: /its process does something else at the (datagram|timer) of \d+/,
  },
  {
    rule: "votequorum: half of the votes is enough",
    patch: { file: "votequorum/arithmetic.ts", find: "return Math.floor(votes / 2) + 1;", replace: "return Math.ceil(votes / 2);" },
    told: /its process (does something else at the (datagram|timer)|is in another state at the second) of \d+/,
  },
  {
    rule: "machine: process ids have other gaps",
    patch: {
      file: "machine/computer.ts",
      find: "this.power.nextPid = pid + this.rng.between(1, 4);",
      replace: "this.power.nextPid = pid + 9;",
    },
    told: /its process is in another state at the second of \d+/,
  },
];
