/**
 * pmxcfs as a program: /etc/pve, served from a tree that the whole cluster has. In the real stack: pmxcfs.c: options, lock, database, mount, the loop, and the order in which it all ends. Left out: the socket
 * `pve2` for the Perl side, and that debug mode names a file and a line behind each of its lines.
 */
import {
  NEVER,
  SEC,
  fromUtf8,
  makeDirectories,
  readFileBytes,
  utf8,
  writeOver,
  type Handled,
  type Hasher,
  type Instant,
  type LogLevel,
  type Os,
  type Plain,
  type Program,
  type ProgramEvent,
  type ServedReply,
  type ServedRequest,
  type Signal,
} from "../kernel/index.ts";
import { WWW_DATA } from "./attributes.ts";
import { loadRows } from "./backend.ts";
import { CONF_NAME, localConf } from "./conf-sync.ts";
import { Core, type CoreHooks, type CoreState, type Domain, type PmxcfsMode } from "./core.ts";
import { DATABASE, DATABASE_DIRECTORY, DatabaseFile } from "./database-file.ts";
import { addressOf, parseOptions, type PmxcfsOptions } from "./options.ts";

const IDENTIFIER = "pmxcfs";
const MOUNT_POINT = "/etc/pve";
const MOUNT_OPTIONS = "nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other";
const RUN_DIRECTORY = "/run/pve-cluster";
const RESTART_FLAG = `${RUN_DIRECTORY}/cfs-restart-flag`;
const PID_FILE = "/run/pve-cluster.pid";
const LOCK_FILE = `${DATABASE_DIRECTORY}/.pmxcfs.lockfile`;
/** The lock is tried so often, a second apart. */
const LOCK_TRIES = 10;
const TICK = SEC;
const RELOAD_DELAY = SEC;
const VERIFY_TICKS = 3600;
const RELOAD = ["/usr/sbin/corosync-cfgtool", "-R"];

type Phase = "locking" | "running" | "ending";

interface PmxcfsState {
  readonly phase: Phase;
  readonly options: PmxcfsOptions;
  readonly address: string;
  readonly lockTries: number;
  readonly startedAt: Instant;
  readonly nextTickAt: Instant;
  readonly reloadAt: Instant;
  readonly reloading: number | undefined;
  readonly detached: boolean;
  readonly debug: boolean;
  readonly core: CoreState | undefined;
}

export class Pmxcfs implements Program {
  private phase: Phase = "locking";
  private options: PmxcfsOptions = { debug: false, foreground: false, local: false };
  private address = "";
  private lockTries = 0;
  private startedAt: Instant = 0;
  private nextTickAt: Instant = NEVER;
  private reloadAt: Instant = NEVER;
  private reloading: number | undefined;
  private detached = false;
  private debug = false;
  private core: Core | undefined;

  constructor(private readonly os: Os) {}

  // ---- the beginning

  start(): void {
    const parsed = parseOptions(this.os.argv.slice(1));
    if ("print" in parsed) {
      this.os.print("stdout", parsed.print);
      return this.os.exit({ code: 0 });
    }
    if ("fail" in parsed) {
      this.log("main", "crit", parsed.fail);
      return this.os.exit({ code: 1 });
    }
    this.options = parsed.options;
    this.debug = parsed.options.debug;
    this.startedAt = this.os.now;
    const name = this.os.hostname;
    const address = addressOf(fromUtf8(readFileBytes(this.os.files, "/etc/hosts") ?? new Uint8Array(0)), name);
    if (address === undefined) {
      const text = `Unable to resolve node name '${name}' to a non-loopback IP address - missing entry in '/etc/hosts' or DNS?`;
      this.log("main", "crit", text);
      return this.os.exit({ code: 255 });
    }
    this.address = address;
    this.log("main", "notice", `resolved node name '${name}' to '${address}' for default node IP address`);
    makeDirectories(this.os.files, DATABASE_DIRECTORY);
    this.lock();
  }

  /** The lock of the real one is on the file's range; here it is the file's name as a socket, which one process can have. */
  private lock(): void {
    if (this.os.ipc.listen(LOCK_FILE)) {
      if (writeOver(this.os.files, LOCK_FILE, new Uint8Array(0), 0o600) !== undefined) return this.fail();
      return this.open();
    }
    if (this.lockTries === 0) this.log("main", "notice", "unable to acquire pmxcfs lock - trying again");
    if (++this.lockTries < LOCK_TRIES) {
      this.nextTickAt = this.os.now + TICK;
      return;
    }
    this.log("main", "crit", "unable to acquire pmxcfs lock: Resource temporarily unavailable");
    this.fail();
  }

  private fail(): void {
    this.log("main", "notice", "exit proxmox configuration filesystem (-1)");
    this.os.exit({ code: 255 });
  }

  private open(): void {
    const seconds = Math.floor(this.os.unixMicros() / SEC);
    const opened = DatabaseFile.open(this.os.files, seconds);
    if ("refused" in opened) return this.cannotOpen(opened.refused);
    const loaded = loadRows(opened.database.rows);
    if ("refused" in loaded) return this.cannotOpen(loaded.refused, "DB load failed");
    const imported = opened.isNew && !this.options.local ? localConf(this.os.files) : undefined;
    const hasConf = imported !== undefined || loaded.entries.some((entry) => entry.parent === 0 && entry.name === CONF_NAME);
    const mode: PmxcfsMode = !hasConf ? "standalone" : this.options.local ? "local" : "cluster";
    if (mode === "local") this.log("main", "notice", "forcing local mode (although corosync.conf exists)");
    const identity = { mode, address: this.address, startedAt: seconds };
    const core = new Core(this.os, identity, opened.database, loaded.entries, this.hooks());
    if (imported !== undefined) core.memdb.import(CONF_NAME, imported, seconds);
    if (!opened.isNew && !core.rebuild()) return this.cannotOpen();
    this.core = core;
    // Whoever waits for it has heard of every reason not to begin.
    if (!this.options.foreground) {
      this.os.detach();
      this.detached = true;
    }
    this.serve(core);
  }

  private cannotOpen(...reasons: readonly string[]): void {
    for (const reason of reasons) this.log("database", "crit", reason);
    this.log("main", "crit", `memdb_open failed - unable to open database '${DATABASE}'`);
    this.fail();
  }

  private serve(core: Core): void {
    const { files } = this.os;
    makeDirectories(files, RUN_DIRECTORY);
    files.blocking({ call: "chmod", path: RUN_DIRECTORY, mode: 0o750 });
    files.blocking({ call: "chown", path: RUN_DIRECTORY, uid: 0, gid: WWW_DATA });
    files.blocking({ call: "unlink", path: RESTART_FLAG });
    // What a process that was killed has left is still mounted there.
    files.blocking({ call: "umount", path: MOUNT_POINT, lazy: true });
    makeDirectories(files, MOUNT_POINT);
    const served = files.blocking({ call: "serve", path: MOUNT_POINT, source: "/dev/fuse", options: MOUNT_OPTIONS });
    if (!served.ok) {
      this.log("main", "crit", `fuse_mount error: ${served.errno}`);
      return this.fail();
    }
    writeOver(files, PID_FILE, utf8(`${this.os.pid}\n`), 0o644);
    this.phase = "running";
    this.os.notifyReady();
    core.status.begin(this.os.pid);
    core.copyConf(true);
    this.nextTickAt = core.identity.mode === "cluster" ? this.os.now + TICK : NEVER;
    if (core.identity.mode === "cluster") this.look(core);
  }

  private hooks(): CoreHooks {
    return {
      log: (domain, level, text) => this.log(domain, level, text),
      answer: (id, reply) => this.os.files.answer(id, reply),
      reload: () => (this.reloadAt = this.os.now + RELOAD_DELAY),
      debug: () => this.debug,
      setDebug: (on) => {
        if (on === this.debug) return;
        this.debug = on;
        const where = on ? "pmxcfs.c:655" : "pmxcfs.c:646";
        this.log("main", "notice", `${on ? "enable" : "disable"} debug mode (${where}:write_debug_setting_cb)`);
      },
    };
  }

  private log(domain: Domain, level: "notice" | "crit", text: string): void {
    const line = `[${domain}] ${level}: ${text}`;
    const severity: LogLevel = level;
    this.os.log(IDENTIFIER, severity, line);
    if (!this.detached) this.os.print("stderr", `${line}\n`);
  }

  // ---- the loop

  nextTimerAt(): Instant {
    const { core } = this;
    return Math.min(this.nextTickAt, this.reloadAt, core?.dcdbLink.nextAt() ?? NEVER, core?.statusLink.nextAt() ?? NEVER);
  }

  armed(): readonly { readonly name: string; readonly at: Instant }[] {
    const all = [
      { name: this.phase === "locking" ? "pmxcfs/lock" : "pmxcfs/loop", at: this.nextTickAt },
      { name: "pmxcfs/reload", at: this.reloadAt },
      { name: "pmxcfs/dcdb send", at: this.core?.dcdbLink.nextAt() ?? NEVER },
      { name: "pmxcfs/status send", at: this.core?.statusLink.nextAt() ?? NEVER },
    ];
    return all.filter(({ at }) => at !== NEVER);
  }

  /** Late, it looks once for all the seconds it has missed. */
  runTimer(now: Instant): void {
    const due = this.nextTimerAt();
    const { core } = this;
    if (core !== undefined && core.dcdbLink.nextAt() === due) core.dcdbLink.runTimer();
    else if (core !== undefined && core.statusLink.nextAt() === due) core.statusLink.runTimer();
    else if (this.reloadAt === due) {
      this.reloadAt = NEVER;
      this.reloading = this.os.spawn({ argv: RELOAD, output: "discard" });
    } else if (this.phase === "locking") {
      this.nextTickAt = NEVER;
      this.lock();
    } else if (core !== undefined) {
      this.nextTickAt = this.startedAt + (Math.floor((now - this.startedAt) / TICK) + 1) * TICK;
      if (this.phase === "ending") this.finish(core);
      else this.look(core);
    }
  }

  private look(core: Core): void {
    const tick = Math.round((this.os.now - this.startedAt) / TICK);
    const links = [core.quorumLink, core.configurationLink, core.dcdbLink, core.statusLink];
    for (const link of links) link.look(tick);
    if (tick > 0 && tick % VERIFY_TICKS === 0) core.dcdb.verify();
  }

  event(event: ProgramEvent): void {
    const { core } = this;
    if (core === undefined) return;
    if (event.kind === "served") {
      const { id, request } = event.served;
      const reply = core.fs.request(id, request);
      if (reply !== undefined) this.os.files.answer(id, reply);
    } else if (event.kind === "ipc")
      for (const link of [core.quorumLink, core.configurationLink, core.dcdbLink, core.statusLink]) {
        if (link.event(event.event)) return;
      }
    else if (event.kind === "child" && event.pid === this.reloading) {
      this.reloading = undefined;
      const { exit } = event;
      const code = "code" in exit ? exit.code : 255;
      if (code !== 0) this.log("dcdb", "crit", `corosync-cfgtool -R failed with exit code ${code}`);
    }
  }

  peekServed(_mount: number, request: ServedRequest): ServedReply | "would-wait" {
    const { core } = this;
    if (core === undefined) return "would-wait";
    if (request.op === "read") {
      const data = core.fs.peekRead(request.path, request.at, request.length);
      return data === undefined ? { ok: true, value: "data", data: new Uint8Array(0) } : { ok: true, value: "data", data };
    }
    return core.fs.peek(request) ?? "would-wait";
  }

  // ---- the end

  handles(): Handled {
    return this.phase === "running" ? ["SIGTERM", "SIGINT"] : [];
  }

  signal(signal: Signal): void {
    const { core } = this;
    if (core === undefined || (signal !== "SIGTERM" && signal !== "SIGINT")) return;
    this.log("main", "notice", "teardown filesystem");
    this.os.files.blocking({ call: "umount", path: MOUNT_POINT, lazy: true });
    this.phase = "ending";
    this.reloadAt = NEVER;
    this.nextTickAt = this.startedAt + (Math.floor((this.os.now - this.startedAt) / TICK) + 1) * TICK;
  }

  private finish(core: Core): void {
    if (core.identity.mode === "cluster") {
      core.dcdbLink.close();
      core.statusLink.close();
      core.quorumLink.close();
      core.configurationLink.close();
    }
    const { files } = this.os;
    core.database.close();
    writeOver(files, RESTART_FLAG, new Uint8Array(0), 0o440);
    files.blocking({ call: "chown", path: RESTART_FLAG, uid: 0, gid: WWW_DATA });
    files.blocking({ call: "unlink", path: PID_FILE });
    this.log("main", "notice", "exit proxmox configuration filesystem (0)");
    this.os.exit({ code: 0 });
  }

  // ---- what others see of it

  /** For status: undefined before it serves its mount. */
  get view(): PmxcfsView | undefined {
    const { core } = this;
    if (core === undefined || this.phase !== "running") return undefined;
    const { mode } = core.identity;
    const cluster = mode === "cluster";
    return {
      mode,
      writable: core.quorate,
      version: core.memdb.version,
      digest: core.memdb.tree.hex(),
      synced: !cluster || (core.dcdb.mode === "synced" && core.dcdb.queueLength === 0 && core.dcdbLink.queueLength === 0),
      online: core.status.info.onlineIds(),
    };
  }

  snapshot(): Plain {
    const { phase, options, address, lockTries, startedAt, nextTickAt, reloadAt, reloading, detached, debug } = this;
    const core = this.core?.snapshot();
    const state: PmxcfsState = {
      phase, options, address, lockTries, startedAt, nextTickAt, reloadAt, reloading, detached, debug, core,
    }; // prettier-ignore
    return state as unknown as Plain;
  }

  restore(saved: Plain): void {
    const { core, ...state } = saved as unknown as PmxcfsState;
    Object.assign(this, state);
    this.core = core === undefined ? undefined : Core.restore(this.os, core, this.hooks());
  }

  digest(h: Hasher): void {
    h.text(this.phase).int(this.lockTries).int(this.startedAt).int(this.nextTickAt).int(this.reloadAt);
    h.int(this.reloading ?? -1)
      .bool(this.detached)
      .bool(this.debug);
    this.core?.digest(h);
  }
}

/** What a running pmxcfs is, as status tells it. */
export interface PmxcfsView {
  readonly mode: PmxcfsMode;
  readonly writable: boolean;
  readonly version: number;
  readonly digest: string;
  readonly synced: boolean;
  readonly online: readonly number[];
}
