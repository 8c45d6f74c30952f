/**
 * The layers of one running corosync, put together in stack order: knet below, Totem, the sync engine, the services. In the real stack: what main.c
 * wires up after the configuration is read. This file makes no protocol decision; it passes each layer what the others say.
 */
import { CmapService, serviceKeys } from "../cmap/index.ts";
import { profileOf } from "../config/index.ts";
import { Cpg } from "../cpg/index.ts";
import {
  NEVER,
  NIC_MTU,
  Rng,
  Timers,
  type Datagram,
  type Hasher,
  type Instant,
  type LogLevel,
  type RngState,
  type TimersState,
} from "../kernel/index.ts";
import { Knet, type KnetSnapshot } from "../knet/index.ts";
import { SyncEngine, type SyncState } from "../totem/sync.ts";
import { Totem, type TotemSnapshot } from "../totem/totem.ts";
import { QuorumService, Votequorum, type QuorumView } from "../votequorum/index.ts";
import { CfgService, PloadService } from "./cfg.ts";
import { layerPort, type PortOwner } from "./layer-port.ts";
import type { Layers } from "./layers.ts";
import { reloadLayers } from "./reconfigure.ts";
import {
  addressText,
  knetParams,
  loadRingSeq,
  storedExpectedVotes,
  totemParams,
  votequorumParams,
  type ConfFile,
  type ConfHost,
  type Settings,
} from "./settings.ts";
import { tracked } from "./track.ts";

export interface StackHooks extends PortOwner {
  storeRingSeq(seq: number): void;
  /** Services have synchronised; `first`: systemd is told that the daemon is ready. */
  synchronised(first: boolean): void;
  /** Killed by a tool on some node: the process ends at once. */
  killed(): void;
  /** The daemon goes down in order, by order of a tool or by its own decision. */
  shutdown(): void;
  /** The configuration file the process was told to read. */
  readonly file: ConfFile;
  /** Log files are opened again. @returns false where one could not be */
  reopenLogs(): boolean;
  /** Its settings are others from here on. */
  reconfigured(settings: Settings): void;
  /** The quorum service has a verdict. */
  quorum(view: QuorumView): void;
  /** An assertion failed. */
  aborted(signal: "SIGABRT" | "SIGSEGV"): void;
}

const LAYERS = ["knet", "totem", "sync", "cpg", "votequorum", "quorum", "cmap", "cfg"] as const;
type Layer = (typeof LAYERS)[number];

export interface StackState {
  knetTimers: TimersState;
  mainTimers: TimersState;
  rngs: { [layer: string]: RngState };
  knet: KnetSnapshot;
  totem: TotemSnapshot;
  sync: SyncState;
  cpg: unknown;
  votequorum: unknown;
  quorum: unknown;
  cmap: unknown;
  cfg: unknown;
}

type Socket = ReturnType<Knet["sockets"]>[number];

export class Stack implements Layers {
  /** libknet's threads run beside the main loop, so their timers are kept apart. */
  private readonly knetTimers = new Timers();
  private readonly mainTimers = new Timers();
  private readonly rngs = new Map<Layer, Rng>();
  readonly knet: Knet;
  readonly totem: Totem;
  readonly sync: SyncEngine;
  readonly cpg: Cpg;
  readonly votequorum: Votequorum;
  readonly quorum: QuorumService;
  readonly cmap: CmapService;
  readonly cfg: CfgService;
  /** Packets knet has taken in while the main loop did not run; undefined: they go straight up. */
  private held: Uint8Array[] | undefined;
  private bound: readonly Socket[] = [];
  /** Lines of knet's that wait for the end of a reload. */
  private piped: (() => void)[] | undefined;

  constructor(
    private current: Settings,
    private readonly hooks: StackHooks,
  ) {
    const settings = current;
    const { config } = settings;
    const me = config.nodeId;
    for (const layer of LAYERS) this.rngs.set(layer, hooks.os.rng(layer));
    const piping: PortOwner = {
      os: hooks.os,
      alive: () => hooks.alive(),
      log: (...line) => {
        if (this.piped === undefined) hooks.log(...line);
        else this.piped.push(() => hooks.log(...line));
      },
    };
    const port = (layer: Layer): ReturnType<typeof layerPort> => {
      const knet = layer === "knet";
      return layerPort(knet ? piping : hooks, knet ? this.knetTimers : this.mainTimers, knet ? "" : `${layer}/`, () => this.rng(layer));
    };
    const debug = config.logging.debug;
    const profile = profileOf(config.release);
    const ring = {
      mcast: (service: number, handler: number, payload: Uint8Array, uncounted?: boolean): boolean =>
        this.sync.mcast(service, handler, payload, uncounted),
    };
    this.knet = new Knet(
      port("knet"),
      knetParams(settings, hooks.os),
      {
        send: (datagram) => this.send(datagram),
        interfaceMtu: (address) => hooks.os.nics().find((n) => n.address === address)?.mtu ?? NIC_MTU,
      },
      { data: (_from, bytes) => this.fromKnet(bytes), hostChange: () => undefined },
    );
    this.cmap = new CmapService(port("cmap"), ring, {
      addressText: (nodeId) => addressText(this.settings.config, nodeId),
      changed: (key, deleted) => {
        tracked(this, key, deleted);
        this.bindSockets();
      },
      exit: () => hooks.shutdown(),
      live: () => serviceKeys((id) => this.sync.counters(id)),
    });
    this.cfg = new CfgService(
      port("cfg"),
      ring,
      me,
      {
        killed: () => hooks.killed(),
        shutdown: () => hooks.shutdown(),
        reload: () => this.reload(),
        activateKey: () => this.knet.useNextKey(),
        dropKey: () => this.knet.dropOldKey(),
      },
      profile.lines,
    );
    this.cpg = new Cpg(port("cpg"), ring, me, profile, debug);
    this.quorum = new QuorumService(port("quorum"), me, (view) => hooks.quorum(view));
    this.votequorum = new Votequorum(
      port("votequorum"),
      ring,
      votequorumParams(config),
      (members, quorate, ringId) => this.quorum.setQuorum(members, quorate, ringId),
      () => storedExpectedVotes(hooks.os.files),
      ({ key, type, value }) => this.cmap.map.put(`runtime.votequorum.${key}`, type, value),
    );
    const services = [this.cmap, this.cfg, this.cpg, this.quorum, new PloadService()];
    this.sync = new SyncEngine(port("sync"), this.hasProvider ? [...services, this.votequorum] : services, {
      configuration: (change) => this.configuration(change),
      synchronised: (first) => hooks.synchronised(first),
      storeRingSeq: (seq) => hooks.storeRingSeq(seq),
    });
    this.totem = new Totem(port("totem"), totemParams(config), this.knet, this.sync, loadRingSeq(hooks.os.files, me));
    this.totem.onTokenCallback = () => this.sync.onToken();
    this.sync.attach(this.totem);
    this.cmap.map.putAll(settings.keys);
    this.cmap.map.protect([...(profile.ipDscp ? ["totem.ip_dscp"] : []), ...(profile.rrpKeys ? ["totem.rrp_mode"] : [])]);
  }

  private configuration(change: { readonly left: readonly number[]; readonly joined: readonly number[] }): void {
    for (const id of change.left) this.log("debug", "MAIN", `Member left: ${addressText(this.settings.config, id)}`);
    for (const id of change.joined) this.log("debug", "MAIN", `Member joined: ${addressText(this.settings.config, id)}`);
    this.cmap.configuration(change);
  }

  /** What the daemon runs with at present. */
  get settings(): Settings {
    return this.current;
  }

  /** The configuration names a quorum provider; without one nobody counts votes. */
  get hasProvider(): boolean {
    return this.settings.config.quorum.provider !== undefined;
  }

  get host(): ConfHost {
    return this.hooks.os;
  }

  private rng(layer: Layer): Rng {
    const rng = this.rngs.get(layer);
    if (rng === undefined) throw new Error(`no generator for ${layer}`);
    return rng;
  }

  private send(datagram: Datagram): void {
    if (!this.hooks.alive()) return;
    const nic = this.hooks.os.nics().find((n) => n.address === datagram.src);
    if (nic?.up !== true) return;
    // The network may have another name than when the daemon read its configuration.
    this.hooks.os.udp.send(datagram.net === nic.net ? datagram : { ...datagram, net: nic.net });
  }

  private fromKnet(bytes: Uint8Array): void {
    if (this.held !== undefined) this.held.push(bytes);
    else if (this.hooks.alive()) this.totem.receive(bytes);
  }

  // ── another configuration (reconfigure.ts says more) ─────────────────────────────────────────────────────────────────

  log(level: LogLevel, subsystem: string, text: string): void {
    this.hooks.log(level, subsystem, text);
  }

  reopenLogs(): boolean {
    return this.hooks.reopenLogs();
  }

  /** What knet says comes to the main loop through a pipe, so that a reload's own lines come first. @returns config.reload_status */
  private reload(): number {
    const piped: (() => void)[] = [];
    this.piped = piped;
    const status = reloadLayers(this, this.hooks);
    this.piped = undefined;
    for (const say of piped) say();
    this.bindSockets();
    return status;
  }

  /** The settings are these; no layer is told. */
  takeOver(settings: Settings): void {
    this.current = settings;
    this.cpg.debug = settings.config.logging.debug;
    this.votequorum.debug = settings.config.logging.debug;
    this.hooks.reconfigured(settings);
  }

  // ── coming up and going down ────────────────────────────────────────────────────────────────────────────────────────────────

  /** knet's handle exists: its heartbeat counts from here. */
  startKnet(): void {
    this.knet.start();
  }

  /** The links are there: sockets open, and Totem gathers for the first time. */
  startRing(): void {
    this.knet.configure();
    this.bindSockets();
    this.totem.start();
  }

  /** Sockets follow the links. Nobody else binds knet's port: the lock file sees to it. */
  private bindSockets(): void {
    const wanted = this.knet.sockets();
    const { udp } = this.hooks.os;
    for (const s of this.bound) if (!has(wanted, s)) udp.unbind(s.address, s.port);
    for (const s of wanted) if (!has(this.bound, s) && !udp.bind(s.address, s.port)) throw new Error(`${s.address}:${s.port} is taken`);
    this.bound = wanted;
  }

  leave(): void {
    this.totem.leave();
  }

  receive(datagram: Datagram): void {
    this.knet.receive(datagram);
  }

  /** When the window of last_man_standing ends; undefined while none runs. */
  get lastManWindowEnds(): Instant | undefined {
    const at = this.mainTimers.at("votequorum/last_man_standing");
    return at === NEVER ? undefined : at;
  }

  nextTimerAt(): Instant {
    return Math.min(this.knetTimers.nextAt(), this.mainTimers.nextAt());
  }

  /** knet's timers by "knet/…", the main loop's by their layer. */
  armed(): { readonly name: string; readonly at: Instant }[] {
    return [...this.knetTimers.armed("").map(({ name, at }) => ({ name: `knet/${name}`, at })), ...this.mainTimers.armed("")];
  }

  /** When a timer of Totem runs out; null: it is not armed. */
  totemTimer(name: string): Instant | null {
    const at = this.mainTimers.at(`totem/${name}`);
    return at === NEVER ? null : at;
  }

  /** Runs the earliest timer due; knet's before the main loop's at one instant. False: none was due. */
  runTimer(now: Instant): boolean {
    if (this.knetTimers.nextAt() <= this.mainTimers.nextAt()) return this.runKnetTimer(now);
    const name = this.mainTimers.pop(now);
    if (name === undefined) return false;
    const slash = name.indexOf("/");
    const layer = name.slice(0, slash);
    if (layer === "totem") this.totem.timer(name.slice(slash + 1));
    else if (layer === "votequorum") this.votequorum.timer(name.slice(slash + 1));
    else throw new Error(`no layer has a timer ${name}`);
    return true;
  }

  private runKnetTimer(now: Instant): boolean {
    const name = this.knetTimers.pop(now);
    if (name === undefined) return false;
    this.knet.timer(name);
    return true;
  }

  /**
   * The process runs again after not having run since `since`: knet takes in what waits in the sockets and answers pings, Totem handles what came in, and what it sends leaves before
   * knet's heartbeat sets own links down (recorded: the token that waited is passed on by a daemon that says in the same instant that it reaches nobody). Late timers of the main loop are left to the caller, who ends with `caughtUp`.
   */
  catchUp(now: Instant, since: Instant, waiting: readonly Datagram[]): void {
    this.totem.paused(since);
    this.knet.stoodStill(since);
    const held: Uint8Array[] = [];
    this.held = held;
    for (const datagram of waiting) this.knet.receive(datagram);
    this.held = undefined;
    for (const bytes of held) this.fromKnet(bytes);
    while (this.knetTimers.nextAt() <= now && this.runKnetTimer(now));
  }

  caughtUp(): void {
    this.totem.running();
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): StackState {
    const rngs: { [layer: string]: RngState } = {};
    for (const [layer, rng] of this.rngs) rngs[layer] = rng.snapshot();
    return {
      knetTimers: this.knetTimers.snapshot(),
      mainTimers: this.mainTimers.snapshot(),
      rngs,
      knet: this.knet.snapshot(),
      totem: this.totem.snapshot(),
      sync: this.sync.snapshot(),
      cpg: this.cpg.snapshot(),
      votequorum: this.votequorum.snapshot(),
      quorum: this.quorum.snapshot(),
      cmap: this.cmap.snapshot(),
      cfg: this.cfg.snapshot(),
    };
  }

  restore(state: StackState): void {
    this.knetTimers.restore(state.knetTimers);
    this.mainTimers.restore(state.mainTimers);
    for (const layer of LAYERS) {
      const rng = state.rngs[layer];
      if (rng !== undefined) this.rngs.set(layer, Rng.restore(rng));
    }
    this.knet.restore(state.knet);
    this.bound = this.knet.sockets();
    this.totem.restore(state.totem);
    this.sync.restore(state.sync);
    this.cpg.restore(state.cpg);
    this.votequorum.restore(state.votequorum);
    this.quorum.restore(state.quorum);
    this.cmap.restore(state.cmap);
    this.cfg.restore(state.cfg);
  }

  digest(h: Hasher): void {
    for (const timers of [this.knetTimers, this.mainTimers]) {
      for (const t of timers.snapshot().pending) h.text(t.name).int(t.at);
    }
    this.knet.digest(h);
    this.totem.digest(h);
    this.sync.digest(h);
    this.cpg.digest(h);
    this.votequorum.digest(h);
    this.quorum.digest(h);
    this.cmap.digest(h);
    this.cfg.digest(h);
  }
}

function has(list: readonly Socket[], socket: Socket): boolean {
  return list.some((s) => s.address === socket.address && s.port === socket.port);
}
