/**
 * Calls of local services by whoever is no process: the node's acting tools. A call is answered before it returns where the service runs and answers at once; what
 * comes later is kept until it is asked for. In the real stack: the libraries inside each tool.
 */
import { CFG, type CallMap, type CfgCalls } from "../corosync/index.ts";
import { cloneState, type Hasher, type IpcEvent, type IpcPort, type IpcReply, type IpcRequest } from "../kernel/index.ts";
import type { KernelParty } from "../machine/index.ts";

/** config.reload_status of a reload that went well, of one that was refused, and of one whose daemon has gone. */
const CS_OK = 1;
const CS_ERR_LIBRARY = 2;
const CS_ERR_INVALID_PARAM = 7;
/** Answers to reloads that are kept. */
const RELOADS_MAX = 256;

interface Open {
  readonly id: number;
  /** Of the reload it has asked for. */
  reload: number | undefined;
}

interface CallsState {
  open: Open[];
  reloads: number;
  ended: [number, number][];
}

export class ServiceCalls implements KernelParty {
  private state: CallsState = { open: [], reloads: 0, ended: [] };
  private heard: IpcReply | "gone" | undefined;

  constructor(
    private readonly port: () => IpcPort,
    /** Lets everything local happen that is to happen now. */
    private readonly settle: () => void,
  ) {}

  /** The answer; "refused" where nobody serves it, "gone" where the server ended instead, undefined where the answer is not there yet. */
  call<C extends CallMap, K extends keyof C & string>(
    service: string,
    call: K,
    request: C[K]["request"],
  ): IpcReply | "refused" | "gone" | undefined {
    const port = this.port();
    const id = port.connect(service);
    if (id === undefined) return "refused";
    const open: Open = { id, reload: undefined };
    this.state.open.push(open);
    this.heard = undefined;
    port.request(id, { ...request, call } as IpcRequest);
    this.settle();
    return this.heard;
  }

  /** corosync_cfg_reload_config: the number to ask the end of it with, or the error. */
  reload(): number | string {
    const number = ++this.state.reloads;
    const answer = this.call<CfgCalls, "corosync_cfg_reload_config">(CFG, "corosync_cfg_reload_config", {});
    if (answer === undefined) {
      const open = this.state.open.at(-1);
      if (open !== undefined) open.reload = number;
      return number;
    }
    if (typeof answer === "string") return "CS_ERR_LIBRARY";
    if (answer.error === "CS_ERR_TRY_AGAIN") return answer.error;
    this.end(number, answer.error === undefined ? CS_OK : CS_ERR_INVALID_PARAM);
    return number;
  }

  get lastReload(): number {
    return this.state.reloads;
  }

  /** How a reload has ended; undefined while it is under way. */
  reloadStatus(number: number): number | undefined {
    return this.state.ended.find(([n]) => n === number)?.[1];
  }

  private end(number: number, status: number): void {
    this.state.ended.push([number, status]);
    if (this.state.ended.length > RELOADS_MAX) this.state.ended.shift();
  }

  event(event: IpcEvent): void {
    const open = this.state.open.find((o) => o.id === event.id);
    if (open === undefined || (event.what !== "reply" && event.what !== "gone")) return;
    this.state.open = this.state.open.filter((o) => o !== open);
    this.heard = event.what === "gone" ? "gone" : event.reply;
    if (event.what === "reply") this.port().close(open.id);
    if (open.reload === undefined) return;
    const status = event.what === "gone" ? CS_ERR_LIBRARY : event.reply.error === undefined ? CS_OK : CS_ERR_INVALID_PARAM;
    this.end(open.reload, status);
  }

  powerLost(): void {
    this.state.open = [];
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as CallsState);
  }

  digest(h: Hasher): void {
    h.int(this.state.reloads).int(this.state.open.length).int(this.state.ended.length);
    for (const o of this.state.open) h.int(o.id).int(o.reload ?? 0);
    for (const [number, status] of this.state.ended) h.int(number).int(status);
  }
}
