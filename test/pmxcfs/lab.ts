/** /etc/pve of one node without a cluster, mounted on a machine's files: what a shell's calls come to, with a database that keeps its rows. */
import { SEC, type FileCall, type FileReply } from "../../src/engine/kernel/index.ts";
import { FileSystem } from "../../src/engine/pmxcfs/file-system.ts";
import { loadRows, rootEntry, rowOf, type Backend, type Row, type Transaction } from "../../src/engine/pmxcfs/backend.ts";
import { LocalChanges } from "../../src/engine/pmxcfs/local-changes.ts";
import { Memdb } from "../../src/engine/pmxcfs/memdb.ts";
import { SpecialFiles } from "../../src/engine/pmxcfs/special-files.ts";
import { Status } from "../../src/engine/pmxcfs/status.ts";
import { LabFiles } from "../machine/lab-files.ts";

export const EPOCH_SECONDS = 1_795_167_244;
const SERVER = 800;
export const SHELL = 900;

/** Rows in memory; `broken`: nothing can be written any more. */
export class Rows implements Backend {
  readonly rows = new Map<number, Row>();
  readonly transactions: Transaction[] = [];
  broken = false;

  commit(transaction: Transaction): boolean {
    if (this.broken) return false;
    this.transactions.push(transaction);
    for (const inode of transaction.removed) this.rows.delete(inode);
    for (const row of transaction.written) this.rows.set(row.inode, row);
    return true;
  }

  all(): Row[] {
    return [...this.rows.values()].sort((a, b) => a.inode - b.inode);
  }
}

export class LocalNode {
  readonly lab = new LabFiles();
  readonly rows: Rows;
  readonly status: Status;
  readonly memdb: Memdb;
  readonly fs: FileSystem;
  readonly resumed = new Map<number, FileReply>();

  constructor({ name = "pve1", pid = 14_576, rows = undefined as Rows | undefined } = {}) {
    this.rows = rows ?? new Rows();
    if (rows === undefined) this.rows.commit({ removed: [], written: [rowOf(rootEntry(EPOCH_SECONDS))] });
    const loaded = loadRows(this.rows.all());
    if ("refused" in loaded) throw new Error(loaded.refused);
    this.status = new Status({ nodeName: name, startedAt: EPOCH_SECONDS });
    this.status.begin(pid);
    const seconds = (): number => EPOCH_SECONDS + Math.floor(this.lab.now / SEC);
    this.memdb = new Memdb(loaded.entries, this.rows, { seconds, changed: (path) => this.status.watched.changed(path) });
    if (rows !== undefined) this.memdb.rebuild();
    let debug = false;
    const specials = new SpecialFiles({
      nodeName: name,
      setDebug: (on) => (debug = on),
      text: (file) => {
        if (file === ".version") return this.status.versionText(this.memdb.guests);
        if (file === ".members") return this.status.info.text(true);
        if (file === ".vmlist") return this.memdb.guests.text();
        if (file === ".rrd") return this.status.statisticsText(seconds());
        return file === ".clusterlog" ? this.status.log.text() : debug ? "1\n" : "0\n";
      },
    });
    this.fs = new FileSystem(this.memdb, specials, new LocalChanges(this.memdb, seconds), {
      seconds,
      instant: (s) => (s - EPOCH_SECONDS) * SEC,
      unixSeconds: (at) => EPOCH_SECONDS + Math.floor(at / SEC),
    });
    this.mount();
  }

  private mount(): void {
    this.lab.files.attach(SERVER);
    this.lab.files.attach(SHELL);
    for (const path of ["/etc", "/etc/pve", "/root"]) this.lab.must(SHELL, { call: "mkdir", path, mode: 0o755 });
    this.lab.must(SERVER, { call: "serve", path: "/etc/pve", source: "/dev/fuse", options: "nosuid,nodev,relatime" });
  }

  call(call: FileCall): FileReply {
    const made = this.lab.files.call(SHELL, call);
    const reply = "done" in made ? made.done : undefined;
    for (let request = this.lab.requests.shift(); request !== undefined; request = this.lab.requests.shift()) {
      const answer = this.fs.request(request.id, request.request);
      if (answer === undefined) throw new Error(`${request.request.op} waits on a node by itself`);
      for (const done of this.lab.files.served(request.id, answer)) this.resumed.set(done.id, done.reply);
    }
    const waited = "pending" in made ? this.resumed.get(made.pending) : reply;
    if (waited === undefined) throw new Error(`${call.call} waits`);
    return waited;
  }
}
