/**
 * File calls that wait for a process that serves a file system. A call is a generator; what it has done so far is the list of answers it was given, from which it is put
 * back to where it was: the answers are given again and nothing else happens. In the real stack: a task in fuse's request queue.
 */
import type { FileCall, FileReply, Hasher, ServedReply } from "../../kernel/index.ts";
import { servedCall } from "./served-calls.ts";
import type { Answer, Asking, Step } from "./served-path.ts";

/** Plain data. */
export interface PendingState {
  readonly id: number;
  readonly pid: number;
  /** What the caller calls it. */
  readonly tag: number;
  readonly call: FileCall;
  readonly answers: readonly Answer[];
  /** The request that is on its way, and the mount it went to. */
  readonly request: number;
  readonly mount: number;
}

export type Outcome = { readonly done: FileReply } | { readonly serve: Extract<Step, { step: "serve" }> };

export class PendingCall {
  private readonly asking: Asking<FileReply>;
  private readonly answers: Answer[] = [];
  request = 0;
  mount = 0;

  constructor(
    readonly id: number,
    readonly pid: number,
    readonly tag: number,
    readonly call: FileCall,
  ) {
    this.asking = servedCall(call);
  }

  /** Runs until it needs the server, or is done. `perform` does what the machine itself answers. */
  advance(reply: ServedReply | undefined, perform: (step: Exclude<Step, { step: "serve" }>) => Answer): Outcome {
    if (reply !== undefined) this.answers.push(reply);
    let next = reply === undefined ? this.asking.next(undefined as never) : this.asking.next(reply);
    while (next.done !== true) {
      if (next.value.step === "serve") return { serve: next.value };
      const answer = perform(next.value);
      this.answers.push(answer);
      next = this.asking.next(answer);
    }
    return { done: next.value };
  }

  snapshot(): PendingState {
    const { id, pid, tag, call, request, mount } = this;
    return Object.freeze({ id, pid, tag, call, answers: [...this.answers], request, mount });
  }

  static restore(state: PendingState): PendingCall {
    const call = new PendingCall(state.id, state.pid, state.tag, state.call);
    let next = call.asking.next(undefined as never);
    for (const answer of state.answers) {
      if (next.done === true) throw new Error(`files: call ${state.id} ended before its answers did`);
      call.answers.push(answer);
      next = call.asking.next(answer);
    }
    if (next.done === true || next.value.step !== "serve") throw new Error(`files: call ${state.id} does not wait where it waited`);
    call.request = state.request;
    call.mount = state.mount;
    return call;
  }

  digest(h: Hasher): void {
    h.int(this.id).int(this.pid).int(this.tag).text(this.call.call).int(this.answers.length).int(this.request).int(this.mount);
  }
}
