/**
 * The keys of corosync's configuration map that the device reads, as cmap has told of them: read whole when it comes up, then kept by tracking. In the real stack: qdevice-cmap.c,
 * which tracks and reads again.
 */
import { CMAP, ServiceClient, type CmapCalls, type CmapNotices, type Connection } from "../../corosync/index.ts";
import { fromUtf8, type IpcEvent, type IpcPort } from "../../kernel/index.ts";

const PREFIXES: readonly string[] = ["nodelist.", "quorum.device.", "totem.", "logging.", "config.", "runtime.votequorum."];

const OVER = "config.reload_in_progress";

export interface MirrorState {
  connection: Connection;
  keys: [string, string][];
  /** Prefixes asked for and not answered, by request. */
  asked: [number, string][];
}

export interface MirrorHooks {
  /** All of it is there. */
  whole(): void;
  /** A reload of the file is over. */
  reloaded(): void;
}

type Value = number | bigint | string | Uint8Array;

const textOf = (value: Value): string => (value instanceof Uint8Array ? fromUtf8(value) : String(value));

export class KeyMirror {
  private readonly client: ServiceClient<CmapCalls, CmapNotices>;
  private keys = new Map<string, string>();
  private asked = new Map<number, string>();

  constructor(
    ipc: IpcPort,
    private readonly hooks: MirrorHooks,
  ) {
    this.client = new ServiceClient(ipc, CMAP);
  }

  /** False: nobody serves it. */
  begin(): boolean {
    if (!this.client.connect()) return false;
    for (const prefix of PREFIXES) {
      this.client.ask("cmap_track_add", { key: prefix, prefix: true });
      const seq = this.client.ask("cmap_iter", { prefix });
      if (seq === undefined) return false;
      this.asked.set(seq, prefix);
    }
    return true;
  }

  get(key: string): string | undefined {
    return this.keys.get(key);
  }

  /** In byte order, as the map lists them. */
  list(prefix: string): string[] {
    return [...this.keys.keys()].filter((key) => key.startsWith(prefix)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  owns(id: number): boolean {
    return this.client.owns(id);
  }

  event(event: IpcEvent): void {
    if (event.what === "reply") {
      if (!this.asked.delete(event.seq)) return;
      const answer = this.client.answer("cmap_iter", event.reply);
      if ("error" in answer) throw new Error(`cmap does not list: ${answer.error}`);
      for (const { key, value } of answer.entries) this.keys.set(key, textOf(value));
      if (this.asked.size === 0) this.hooks.whole();
    } else if (event.what === "notice") {
      const change = this.client.notice("cmap_notify", event.notice);
      if (change === undefined) return;
      const { key, entry } = change;
      if (entry === undefined) this.keys.delete(key);
      else this.keys.set(key, textOf(entry.value));
      if (key === OVER && entry?.value === 0) this.hooks.reloaded();
    }
  }

  close(): void {
    this.client.close();
  }

  snapshot(): MirrorState {
    return { connection: this.client.snapshot(), keys: [...this.keys], asked: [...this.asked] };
  }

  restore(state: MirrorState): void {
    this.client.restore(state.connection);
    this.keys = new Map(state.keys);
    this.asked = new Map(state.asked);
  }
}
