/**
 * What pmxcfs knows beside the tree, in memory alone: quorum, the cluster's nodes, each node's keys and values, its statistics, the cluster log; and the texts of the special files. In the
 * real stack: pmxcfs's status.c.
 */
import { fromUtf8, utf8, type Hasher } from "../kernel/index.ts";
import { ClusterInfo } from "./cluster-info.ts";
import { ClusterLog } from "./cluster-log.ts";
import type { GuestList } from "./guest-list.ts";
import { WatchedFiles } from "./watched.ts";

/** Statistics older than this are left out of `.rrd`, seconds. */
const RRD_SECONDS = 300;
const RRD_PREFIX = "rrd/";
const ADDRESS_KEY = "nodeip";

interface Value {
  readonly version: number;
  readonly data: Uint8Array;
}

interface Statistic {
  readonly seconds: number;
  readonly text: string;
}

export interface StatusIdentity {
  readonly nodeName: string;
  /** Seconds since 1970 when the daemon began. */
  readonly startedAt: number;
}

export class Status {
  quorate = false;
  readonly info: ClusterInfo;
  readonly log = new ClusterLog();
  readonly watched = new WatchedFiles();
  /** By node, by key. */
  private readonly values = new Map<string, Map<string, Value>>();
  private readonly statistics = new Map<string, Statistic>();

  constructor(private readonly identity: StatusIdentity) {
    this.info = new ClusterInfo(identity.nodeName);
  }

  /** The daemon begins: its first entry. */
  begin(pid: number): void {
    const { nodeName, startedAt } = this.identity;
    const first = { time: startedAt, priority: 6, tag: "cluster", pid, node: nodeName, user: "root", message: "starting cluster log" };
    this.log.add(this.log.make(first));
  }

  /** A node has set one of its keys: its address, statistics, or a value that others may read. */
  setValue(node: string, key: string, data: Uint8Array, seconds: number): void {
    if (key === ADDRESS_KEY) this.info.setAddress(node, textOf(data));
    else if (key.startsWith(RRD_PREFIX)) this.statistics.set(key, { seconds, text: textOf(data) });
    else {
      const own = this.values.get(node) ?? new Map<string, Value>();
      const old = own.get(key);
      own.set(key, { version: old === undefined ? 0 : old.version + 1, data });
      this.values.set(node, own);
    }
  }

  /** What this node says again at each synchronisation: its address, and all its keys and values. */
  own(address: string): { readonly key: string; readonly data: Uint8Array }[] {
    const values = [...(this.values.get(this.identity.nodeName) ?? [])].map(([key, { data }]) => ({ key, data }));
    return [{ key: ADDRESS_KEY, data: utf8(`${address}\0`) }, ...values];
  }

  versionText(guests: GuestList): string {
    const nodes = this.info.names().map((name) => {
      const keys = [...(this.values.get(name) ?? [])].map(([key, { version }]) => `"${key}": ${version}`);
      return `"${name}": {\n${keys.length === 0 ? "" : keys.join(",\n")}}\n`;
    });
    const head = [`"starttime": ${this.identity.startedAt}`, `"clinfo": ${this.info.version}`, `"vmlist": ${guests.version}`];
    return `{\n${[...head, ...this.watched.lines()].join(",\n")},\n"kvstore": {\n${nodes.join(",\n")}}\n}\n`;
  }

  /** Contents of `.rrd`. */
  statisticsText(seconds: number): string {
    return [...this.statistics]
      .filter(([, { seconds: at }]) => seconds - at <= RRD_SECONDS)
      .map(([key, { text }]) => `${key.slice(RRD_PREFIX.length)}:${text}\n`)
      .join("");
  }

  snapshot(): StatusState {
    return {
      quorate: this.quorate,
      info: this.info.snapshot(),
      log: this.log.snapshot(),
      watched: this.watched.snapshot(),
      values: [...this.values].map(([node, own]) => [node, [...own]] as const),
      statistics: [...this.statistics],
    };
  }

  restore(state: StatusState): void {
    this.quorate = state.quorate;
    this.info.restore(state.info);
    this.log.restore(state.log);
    this.watched.restore(state.watched);
    this.values.clear();
    for (const [node, own] of state.values) this.values.set(node, new Map(own));
    this.statistics.clear();
    for (const [key, statistic] of state.statistics) this.statistics.set(key, statistic);
  }

  digest(h: Hasher): void {
    h.bool(this.quorate);
    this.info.digest(h);
    this.log.digest(h);
    this.watched.digest(h);
    for (const [node, own] of this.values) for (const [key, { version, data }] of own) h.text(node).text(key).int(version).bytes(data);
    for (const [key, { seconds, text }] of this.statistics) h.text(key).int(seconds).text(text);
  }
}

interface StatusState {
  readonly quorate: boolean;
  readonly info: ReturnType<ClusterInfo["snapshot"]>;
  readonly log: ReturnType<ClusterLog["snapshot"]>;
  readonly watched: readonly number[];
  readonly values: readonly (readonly [string, readonly (readonly [string, Value])[]])[];
  readonly statistics: readonly (readonly [string, Statistic])[];
}

/** Values of these kinds are texts that end with a NUL. */
function textOf(data: Uint8Array): string {
  const end = data.indexOf(0);
  return fromUtf8(end < 0 ? data : data.subarray(0, end));
}
