/**
 * The daemon's end of its local sockets: which connection belongs to which service, and notices that wait for a client that is slow. In the real stack: ipc_glue.c. No callback of
 * a layer runs inside a delivery: what a client is told travels as a notice. Left out: who may connect (uidgid), and the memory that waiting notices take.
 */
import type { SchedMiss, StatsGroup } from "../../cmap/index.ts";
import type { Hasher, IpcEvent, IpcNotice, IpcPort, IpcReply, IpcRequest, Peeked, Plain } from "../../kernel/index.ts";
import type { QuorumView } from "../../votequorum/index.ts";
import type { Layers } from "../layers.ts";
import { INITIALIZE, type Client, type Service } from "./calls.ts";
import { CfgIpc } from "./cfg.ts";
import { CmapIpc } from "./cmap.ts";
import { CpgIpc } from "./cpg.ts";
import { QuorumIpc } from "./quorum.ts";
import { VotequorumIpc } from "./votequorum.ts";

export interface ServerHooks {
  /** False: its services are being unloaded, and nothing is answered any more but CS_ERR_LIBRARY. */
  answers(): boolean;
  schedMisses(): readonly SchedMiss[];
  clearStats(group: StatsGroup): void;
  crash(): void;
}

interface Connected extends Client {
  readonly service: string;
  /** Notices that found the client's queue full, oldest first. */
  waiting: IpcNotice[];
}

export class DaemonServices {
  private clients: Connected[] = [];
  /** Some notice waits. */
  private behind = false;
  private readonly cmap: CmapIpc;
  private readonly cfg: CfgIpc;
  private readonly cpg: CpgIpc;
  private readonly votequorum: VotequorumIpc;
  private readonly quorumService: QuorumIpc;

  constructor(
    private readonly ipc: IpcPort,
    private readonly layers: Layers,
    private readonly hooks: ServerHooks,
  ) {
    const notify = (id: number, notice: IpcNotice): void => this.notify(id, notice);
    const reply = (id: number, seq: number, answer: IpcReply): void => this.ipc.reply(id, seq, answer);
    this.cmap = new CmapIpc(layers, hooks, notify);
    this.cfg = new CfgIpc(layers, reply);
    this.cpg = new CpgIpc(layers, notify);
    this.votequorum = new VotequorumIpc(layers, notify, reply);
    this.quorumService = new QuorumIpc(layers, notify);
  }

  /** In the order they are loaded. */
  private get services(): (CmapIpc | CfgIpc | CpgIpc | VotequorumIpc | QuorumIpc)[] {
    const first = [this.cmap, this.cfg, this.cpg];
    return this.layers.hasProvider ? [...first, this.votequorum, this.quorumService] : [...first, this.quorumService];
  }

  private service(name: string): Service | undefined {
    return this.services.find((s) => s.name === name);
  }

  /** "server name: cmap" and so on. */
  listen(): void {
    for (const { name } of this.services) if (!this.ipc.listen(name)) throw new Error(`somebody else serves ${name}, without the lock`);
  }

  unlisten(): void {
    for (const { name } of this.services) this.ipc.unlisten(name);
  }

  /** The quorum service has a verdict. */
  quorum(view: QuorumView): void {
    this.quorumService.changed(view);
  }

  private notify(id: number, notice: IpcNotice): void {
    const client = this.clients.find((c) => c.id === id);
    if (client === undefined || (client.waiting.length === 0 && this.ipc.notify(id, notice))) return;
    client.waiting.push(notice);
    this.behind = true;
  }

  /** Notices that waited go out as far as there is room. */
  flush(): void {
    if (!this.behind) return;
    this.behind = false;
    for (const client of this.clients) {
      let sent = 0;
      for (const notice of client.waiting) {
        if (!this.ipc.notify(client.id, notice)) break;
        sent++;
      }
      client.waiting = client.waiting.slice(sent);
      if (client.waiting.length > 0) this.behind = true;
    }
  }

  event(event: IpcEvent): void {
    if (event.what === "accepted") {
      this.clients.push({ id: event.id, pid: event.peer, name: event.peerName, service: event.service, waiting: [] });
      return;
    }
    const client = this.clients.find((c) => c.id === event.id);
    if (client === undefined) return;
    if (event.what === "request") this.request(client, event.seq, event.request);
    else if (event.what === "closed") {
      this.clients = this.clients.filter((c) => c !== client);
      this.service(client.service)?.closed(client);
    } else throw new Error(`the daemon is nobody's client, but heard ${event.what}`);
  }

  private request(client: Connected, seq: number, request: IpcRequest): void {
    const service = this.hooks.answers() ? this.service(client.service) : undefined;
    const reply =
      service === undefined ? { error: "CS_ERR_LIBRARY" } : request.call === INITIALIZE ? {} : service.call(client, seq, request);
    if (reply !== undefined) this.ipc.reply(client.id, seq, reply);
  }

  /** A pure question. */
  peek(name: string, request: IpcRequest): Peeked {
    if (request.call === INITIALIZE) return { peek: "reply", reply: {} };
    const reply = this.service(name)?.read(request);
    return reply === undefined ? { peek: "would-wait" } : { peek: "reply", reply };
  }

  snapshot(): Plain {
    return {
      clients: this.clients.map((c) => ({ ...c, waiting: [...c.waiting] })),
      cmap: this.cmap.snapshot(),
      cfg: this.cfg.snapshot(),
      cpg: this.cpg.snapshot(),
      votequorum: this.votequorum.snapshot(),
      quorum: this.quorumService.snapshot(),
    };
  }

  /** The layers must have been restored before. */
  restore(saved: Plain): void {
    const state = saved as { readonly [part: string]: Plain };
    this.clients = (state.clients as unknown as Connected[]).map((c) => ({ ...c, waiting: [...c.waiting] }));
    this.behind = this.clients.some((c) => c.waiting.length > 0);
    this.cmap.restore(state.cmap);
    this.cfg.restore(state.cfg);
    this.cpg.restore(state.cpg);
    this.votequorum.restore(state.votequorum);
    this.quorumService.restore(state.quorum);
  }

  digest(h: Hasher): void {
    h.int(this.clients.length);
    for (const c of this.clients) h.int(c.id).int(c.pid).text(c.service).int(c.waiting.length);
    for (const service of [this.cmap, this.cfg, this.cpg, this.votequorum, this.quorumService]) service.digest(h);
  }
}
