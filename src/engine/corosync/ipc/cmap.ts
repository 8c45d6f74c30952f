/**
 * The configuration map over the daemon's socket `cmap`: reading, writing, listing, and notices of changes to who tracks; and beside it the stats map, which is computed when it is
 * asked for. Its values are compared with what a client has seen in the daemon's statistics round, every 1.5 s; who tracks by prefix hears of keys that come and go, never of values (3.1.7,
 * observed with corosync-cmapctl -m stats -t and -T). In the real stack: exec/cmap.c, stats.c and libcmap. Asking a key of stats.schedmiss. ends the daemon with SIGSEGV, as it does 3.1.7
 * (recorded). Left out: iteration step by step, adjusting an integer.
 */
import {
  statsEntries,
  type CmapEntry,
  type CmapError,
  type CmapType,
  type CmapValue,
  type SchedMiss,
  type StatsGroup,
} from "../../cmap/index.ts";
import { Hasher, type IpcNotice, type IpcReply, type IpcRequest, type Plain } from "../../kernel/index.ts";
import type { Layers } from "../layers.ts";
import {
  DONE,
  outcome,
  performCall,
  performRead,
  refused,
  type Client,
  type Handlers,
  type Nothing,
  type Readers,
  type Service,
} from "./calls.ts";

export const CMAP = "cmap";

const CLEAR = "stats.clear.";
const GROUPS: readonly StatsGroup[] = ["knet", "ipc", "totem", "schedmiss", "all"];

/** Which map, and who asks: the stats map shows the connection of the one that reads it. */
interface WhichMap {
  readonly map?: "icmap" | "stats" | undefined;
  readonly pid?: number | undefined;
  readonly procname?: string | undefined;
}

export type CmapCalls = {
  readonly cmap_get: {
    readonly request: WhichMap & { readonly key: string };
    readonly reply: { readonly type: CmapType; readonly value: CmapValue };
  };
  readonly cmap_set: {
    readonly request: WhichMap & { readonly key: string; readonly type: CmapType; readonly value: CmapValue };
    readonly reply: Nothing;
  };
  readonly cmap_delete: { readonly request: WhichMap & { readonly key: string }; readonly reply: Nothing };
  /** All keys that begin with the prefix, in byte order: cmap_iter_init, _next and _finalize in one. */
  readonly cmap_iter: {
    readonly request: WhichMap & { readonly prefix: string };
    readonly reply: { readonly entries: readonly CmapEntry[] };
  };
  /** `prefix`: of all keys that begin so; else of this key alone. Tracks of a connection are told apart by their key. */
  readonly cmap_track_add: { readonly request: WhichMap & { readonly key: string; readonly prefix: boolean }; readonly reply: Nothing };
  readonly cmap_track_delete: { readonly request: { readonly key: string }; readonly reply: Nothing };
};

export type CmapNotices = {
  /** `entry` and `before`: undefined where there is, or was, none. */
  readonly cmap_notify: { readonly key: string; readonly entry: CmapEntry | undefined; readonly before: CmapEntry | undefined };
};

export interface CmapIpcHooks {
  schedMisses(): readonly SchedMiss[];
  clearStats(group: StatsGroup): void;
  /** A fault of the daemon's own. */
  crash(): void;
}

interface Track {
  readonly id: number;
  readonly key: string;
  readonly prefix: boolean;
  readonly which: WhichMap;
  /** Of the stats map: what the client has been told, or found there; undefined: a track of the other map. */
  seen: readonly CmapEntry[] | undefined;
}

export class CmapIpc implements Service {
  readonly name = CMAP;
  private tracks: Track[] = [];

  constructor(
    private readonly layers: Layers,
    private readonly hooks: CmapIpcHooks,
    private readonly notify: (id: number, notice: IpcNotice) => void,
  ) {
    layers.cmap.map.watch = (key, entry, before) => this.changed(key, entry, before);
    layers.totem.onStatsRound = () => this.statsRound();
  }

  private changed(key: string, entry: CmapEntry | undefined, before: CmapEntry | undefined): void {
    for (const t of this.tracks) {
      if (t.seen !== undefined || !covers(t, key)) continue;
      this.tell(t, key, entry, before);
    }
  }

  private tell({ id }: Track, key: string, entry: CmapEntry | undefined, before: CmapEntry | undefined): void {
    this.notify(id, { event: "cmap_notify", key, entry: entry && { ...entry }, before: before && { ...before } });
  }

  /** What has become of the statistics that clients track. @returns whether somebody does, so that there has to be a next round */
  private statsRound(): boolean {
    for (const t of this.tracks) {
      const { seen } = t;
      if (seen === undefined) continue;
      const now = this.stats(t.which).filter((e) => covers(t, e.key));
      for (const entry of now) {
        const before = seen.find((e) => e.key === entry.key);
        if (before === undefined || (!t.prefix && before.value !== entry.value)) this.tell(t, entry.key, entry, before);
      }
      for (const before of seen) if (!now.some((e) => e.key === before.key)) this.tell(t, before.key, undefined, before);
      t.seen = now;
    }
    return this.tracks.some((t) => t.seen !== undefined);
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private stats(which: WhichMap): CmapEntry[] {
    const { totem, knet } = this.layers;
    const pid = which.pid ?? 0;
    const pointer = `0x56${new Hasher().int(pid).hex().slice(0, 10)}`;
    const connections = [{ service: 0, pid, pointer, procname: which.procname ?? "" }];
    return statsEntries({ srp: totem.stats(), knet: knet.stats(), connections, closed: 0, schedMisses: this.hooks.schedMisses() });
  }

  private find(request: WhichMap & { readonly key: string }): CmapEntry | undefined {
    const { key, map } = request;
    return map === "stats" ? this.stats(request).find((e) => e.key === key) : this.layers.cmap.get(key);
  }

  private readonly readers: Required<Pick<Readers<CmapCalls>, "cmap_get" | "cmap_iter">> = {
    cmap_get: (request) => {
      const found = this.find(request);
      return found === undefined ? refused("CS_ERR_NOT_EXIST") : { type: found.type, value: found.value };
    },
    cmap_iter: (request) => {
      const { prefix, map } = request;
      const entries = map === "stats" ? this.stats(request).filter((e) => e.key.startsWith(prefix)) : this.layers.cmap.list(prefix);
      return { entries };
    },
  };

  // ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  private readonly handlers: Handlers<CmapCalls> = {
    cmap_iter: (request, client) => this.readers.cmap_iter({ pid: client.pid, procname: client.name, ...request }),
    cmap_get: (request, client) => {
      const asked = { pid: client.pid, procname: client.name, ...request };
      if (!crashes(asked) || this.find(asked) === undefined) return this.readers.cmap_get(asked);
      this.hooks.crash();
      return "later";
    },
    cmap_set: ({ key, type, value, map }) => {
      if (map === "stats") return this.setStats(key);
      return outcome(this.layers.cmap.set(key, type, value));
    },
    cmap_delete: ({ key, map }) => outcome(map === "stats" ? ("CS_ERR_ACCESS" satisfies CmapError) : this.layers.cmap.delete(key)),
    cmap_track_add: ({ key, prefix, map, pid, procname }, client) => {
      const { id } = client;
      if (this.tracks.some((t) => t.id === id && t.key === key)) return refused("CS_ERR_EXIST");
      const track: Track = { id, key, prefix, which: { pid: pid ?? client.pid, procname: procname ?? client.name }, seen: undefined };
      if (map === "stats") {
        track.seen = this.stats(track.which).filter((e) => covers(track, e.key));
        this.layers.totem.awaitStatsRound();
      }
      this.tracks.push(track);
      return DONE;
    },
    cmap_track_delete: ({ key }, { id }) => {
      const before = this.tracks.length;
      this.tracks = this.tracks.filter((t) => t.id !== id || t.key !== key);
      return this.tracks.length < before ? DONE : refused("CS_ERR_NOT_EXIST");
    },
  };

  /** The only keys that can be set are those that clear, whatever the value; what stands behind the name is not looked at (recorded). */
  private setStats(key: string): Nothing | ReturnType<typeof refused> {
    if (!key.startsWith(CLEAR)) return refused("CS_ERR_ACCESS");
    const group = GROUPS.find((name) => key.slice(CLEAR.length).startsWith(name));
    if (group === undefined) return refused("CS_ERR_NOT_SUPPORTED");
    this.hooks.clearStats(group);
    return DONE;
  }

  call(client: Client, seq: number, request: IpcRequest): IpcReply | undefined {
    return performCall<CmapCalls>(this.handlers, client, seq, request);
  }

  read(request: IpcRequest): IpcReply | undefined {
    const asked = request as unknown as WhichMap & { readonly key?: string };
    if (request.call === "cmap_get" && crashes(asked)) return undefined;
    return performRead<CmapCalls>(this.readers, request);
  }

  closed({ id }: Client): void {
    this.tracks = this.tracks.filter((t) => t.id !== id);
  }

  snapshot(): Plain {
    return this.tracks.map((t) => ({ ...t })) as unknown as Plain;
  }

  restore(state: Plain): void {
    this.tracks = (state as unknown as Track[]).map((t) => ({ ...t }));
  }

  digest(h: Hasher): void {
    h.int(this.tracks.length);
    for (const { id, key, prefix, seen } of this.tracks) {
      h.int(id)
        .text(key)
        .bool(prefix)
        .int(seen?.length ?? -1);
      for (const entry of seen ?? []) h.text(entry.key).text(String(entry.value));
    }
  }
}

const covers = ({ key, prefix }: Track, of: string): boolean => (prefix ? of.startsWith(key) : of === key);

function crashes(asked: WhichMap & { readonly key?: string }): boolean {
  return asked.map === "stats" && asked.key?.startsWith("stats.schedmiss.") === true;
}
