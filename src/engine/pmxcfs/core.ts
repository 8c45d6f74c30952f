/**
 * What a running pmxcfs is made of, wired: the tree and its database, the status, the two groups, the mounted file system. In the real stack: what main() of pmxcfs.c sets up before its loop. Everything in it
 * comes from one snapshot or from the database.
 */
import { SEC, type Errno, type Hasher, type Os, type ServedReply } from "../kernel/index.ts";
import { ClusterChanges, type PendingChanges } from "./cluster-changes.ts";
import { ConfigurationLink, QuorumLink } from "./cluster-links.ts";
import { CONF_NAME, copyConf } from "./conf-sync.ts";
import { DatabaseFile } from "./database-file.ts";
import { DCDB_GROUP, DcdbData } from "./dcdb.ts";
import { Dfsm } from "./dfsm.ts";
import type { TreeEntry } from "./entry.ts";
import { FileSystem } from "./file-system.ts";
import { GroupLink } from "./group-link.ts";
import { LocalChanges } from "./local-changes.ts";
import { Memdb } from "./memdb.ts";
import type { Operation } from "./operations.ts";
import { SpecialFiles } from "./special-files.ts";
import { STATUS_GROUP, StatusData } from "./status-group.ts";
import { Status } from "./status.ts";

export type Domain = "main" | "database" | "quorum" | "confdb" | "dcdb" | "status";
export type CoreLog = (domain: Domain, level: "notice" | "crit", text: string) => void;

/** "standalone": no corosync.conf in the tree; "local": it is there and was not to be looked at. */
export type PmxcfsMode = "cluster" | "standalone" | "local";

export interface CoreIdentity {
  readonly mode: PmxcfsMode;
  /** This node's own, as it announces it. */
  readonly address: string;
  /** Seconds since 1970. */
  readonly startedAt: number;
}

export interface CoreHooks {
  readonly log: CoreLog;
  /** A request of the mount has its answer. */
  answer(id: number, reply: ServedReply): void;
  /** corosync is to read its file again. */
  reload(): void;
  setDebug(on: boolean): void;
  readonly debug: () => boolean;
}

export class Core {
  readonly status: Status;
  readonly memdb: Memdb;
  readonly fs: FileSystem;
  readonly dcdb: Dfsm;
  readonly kvstore: Dfsm;
  readonly dcdbLink: GroupLink;
  readonly statusLink: GroupLink;
  readonly quorumLink: QuorumLink;
  readonly configurationLink: ConfigurationLink;
  private readonly changes: ClusterChanges;
  private readonly dcdbData: DcdbData;

  constructor(
    private readonly os: Os,
    readonly identity: CoreIdentity,
    readonly database: DatabaseFile,
    entries: readonly TreeEntry[],
    private readonly hooks: CoreHooks,
  ) {
    const nodeName = os.hostname;
    const seconds = (): number => this.seconds();
    this.status = new Status({ nodeName, startedAt: identity.startedAt });
    this.memdb = new Memdb(entries, database, { seconds, changed: (path) => this.status.watched.changed(path) });
    const log = (domain: Domain) => (level: "notice" | "crit", text: string) => hooks.log(domain, level, text);
    this.dcdbLink = new GroupLink(os, DCDB_GROUP, () => this.dcdb, log("dcdb"));
    this.statusLink = new GroupLink(os, STATUS_GROUP, () => this.kvstore, log("status"));
    this.quorumLink = new QuorumLink(os.ipc, log("quorum"), (quorate) => this.quorumChanged(quorate));
    this.configurationLink = new ConfigurationLink(os.ipc, log("confdb"), (config) => {
      if (this.status.info.configure(config))
        hooks.log("status", "notice", `update cluster info (cluster name  ${config.name}, version = ${config.version})`);
      this.quorumLink.track();
    });
    this.changes = new ClusterChanges(
      () => this.dcdb,
      () => this.status.quorate,
    );
    this.dcdbData = this.treeData();
    this.dcdb = new Dfsm(this.port(this.dcdbLink, "dcdb"), this.dcdbData);
    this.kvstore = new Dfsm(this.port(this.statusLink, "status"), this.statusData());
    const sender = identity.mode === "cluster" ? this.changes : new LocalChanges(this.memdb, seconds);
    const epoch = (): number => Math.floor(os.unixMicros() - os.now);
    this.fs = new FileSystem(this.memdb, this.specials(), sender, {
      seconds,
      instant: (s) => s * SEC - epoch(),
      unixSeconds: (at) => Math.floor((at + epoch()) / SEC),
    });
  }

  seconds(): number {
    return Math.floor(this.os.unixMicros() / SEC);
  }

  get quorate(): boolean {
    return this.identity.mode !== "cluster" || this.status.quorate;
  }

  private specials(): SpecialFiles {
    return new SpecialFiles({
      nodeName: this.os.hostname,
      setDebug: (on) => this.hooks.setDebug(on),
      text: (name) => {
        if (name === ".version") return this.status.versionText(this.memdb.guests);
        if (name === ".members") return this.status.info.text(this.status.quorate);
        if (name === ".vmlist") return this.memdb.guests.text();
        if (name === ".rrd") return this.status.statisticsText(this.seconds());
        return name === ".clusterlog" ? this.status.log.text() : this.hooks.debug() ? "1\n" : "0\n";
      },
    });
  }

  private port(link: GroupLink, domain: "dcdb" | "status"): ConstructorParameters<typeof Dfsm>[0] {
    return {
      get self() {
        return link.self;
      },
      seconds: () => this.seconds(),
      multicast: (message) => link.multicast(message),
      log: (level, text) => this.hooks.log(domain, level, text),
      leave: () => link.leave(),
      concluded: (count, outcome) => {
        if (domain === "dcdb") this.concluded(count, outcome);
      },
    };
  }

  private concluded(count: number, outcome: Errno | undefined): void {
    const token = this.changes.take(count);
    const done = token === undefined ? undefined : this.fs.finished(token, outcome);
    if (done !== undefined) this.hooks.answer(done.id, done.reply);
  }

  private treeData(): DcdbData {
    const link = this.dcdbLink;
    return new DcdbData(this.memdb, {
      get self() {
        return link.self;
      },
      quorate: () => this.status.quorate,
      log: (level, text) => this.hooks.log("dcdb", level, text),
      applied: (operation, mine) => this.applied(operation, mine),
      replaced: () => {
        this.status.watched.allChanged();
        this.rebuild();
        this.copyConf(false);
      },
      isLowest: () => this.dcdb.isLowest,
      send: (operation) => void this.changes.ask(operation),
    });
  }

  private statusData(): StatusData {
    const link = this.statusLink;
    return new StatusData(this.status, {
      get self() {
        return link.self;
      },
      seconds: () => this.seconds(),
      log: (level, text) => this.hooks.log("status", level, text),
      send: (subtype, body) => void this.kvstore.send(subtype, body),
      own: () => this.status.own(this.identity.address),
      members: (members) => this.status.info.online(members.map(({ nodeId }) => nodeId)),
    });
  }

  private quorumChanged(quorate: boolean): void {
    if (this.status.quorate === quorate) return;
    this.status.quorate = quorate;
    this.hooks.log("status", "notice", quorate ? "node has quorum" : "node lost quorum");
  }

  /** The list of guests and the ages of locks begin anew. @returns false where two guests have one number */
  rebuild(): boolean {
    const twice = this.memdb.rebuild();
    if (twice !== undefined) this.hooks.log("status", "crit", `detected duplicate VMID ${twice}`);
    return twice === undefined;
  }

  private applied(operation: Operation, mine: boolean): void {
    const name = operation.op === "rename" ? operation.to : operation.op === "write" || operation.op === "create" ? operation.path : "";
    if (name === CONF_NAME) this.copyConf(mine);
  }

  /** @param reload corosync is to read the file again where it was another one */
  copyConf(reload: boolean): void {
    const data = this.memdb.tree.lookup(CONF_NAME)?.data;
    if (this.identity.mode !== "cluster" || data === undefined) return;
    const written = copyConf({ files: this.os.files, log: (level, text) => this.hooks.log("dcdb", level, text) }, data);
    if (written && reload) this.hooks.reload();
  }

  snapshot(): CoreState {
    return {
      identity: this.identity,
      database: this.database.snapshot(),
      memdb: this.memdb.snapshot(),
      status: this.status.snapshot(),
      fs: this.fs.snapshot(),
      changes: this.changes.snapshot(),
      dcdbData: this.dcdbData.snapshot(),
      dcdb: this.dcdb.snapshot(),
      kvstore: this.kvstore.snapshot(),
      dcdbLink: this.dcdbLink.snapshot(),
      statusLink: this.statusLink.snapshot(),
      quorumLink: this.quorumLink.snapshot(),
      configurationLink: this.configurationLink.snapshot(),
    };
  }

  static restore(os: Os, state: CoreState, hooks: CoreHooks): Core {
    const core = new Core(os, state.identity, DatabaseFile.restore(os.files, state.database), [], hooks);
    core.memdb.restore(state.memdb);
    core.status.restore(state.status);
    core.fs.restore(state.fs);
    core.changes.restore(state.changes);
    core.dcdbData.restore(state.dcdbData);
    core.dcdb.restore(state.dcdb);
    core.kvstore.restore(state.kvstore);
    core.dcdbLink.restore(state.dcdbLink);
    core.statusLink.restore(state.statusLink);
    core.quorumLink.restore(state.quorumLink);
    core.configurationLink.restore(state.configurationLink);
    return core;
  }

  digest(h: Hasher): void {
    for (const part of [this.memdb, this.status, this.fs, this.changes, this.dcdb, this.kvstore]) part.digest(h);
    for (const link of [this.dcdbLink, this.statusLink, this.quorumLink, this.configurationLink]) link.digest(h);
  }
}

export interface CoreState {
  readonly identity: CoreIdentity;
  readonly database: ReturnType<DatabaseFile["snapshot"]>;
  readonly memdb: ReturnType<Memdb["snapshot"]>;
  readonly status: ReturnType<Status["snapshot"]>;
  readonly fs: ReturnType<FileSystem["snapshot"]>;
  readonly changes: PendingChanges;
  readonly dcdbData: ReturnType<DcdbData["snapshot"]>;
  readonly dcdb: ReturnType<Dfsm["snapshot"]>;
  readonly kvstore: ReturnType<Dfsm["snapshot"]>;
  readonly dcdbLink: ReturnType<GroupLink["snapshot"]>;
  readonly statusLink: ReturnType<GroupLink["snapshot"]>;
  readonly quorumLink: ReturnType<QuorumLink["snapshot"]>;
  readonly configurationLink: ReturnType<ConfigurationLink["snapshot"]>;
}
