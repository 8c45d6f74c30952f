/** The layers of one running corosync, as those of its parts see them that work on several at once. The real daemon has them as its modules' globals. */
import type { CmapService } from "../cmap/index.ts";
import type { Cpg } from "../cpg/index.ts";
import type { LogLevel } from "../kernel/index.ts";
import type { Knet } from "../knet/index.ts";
import type { SyncEngine } from "../totem/sync.ts";
import type { Totem } from "../totem/totem.ts";
import type { QuorumService, Votequorum } from "../votequorum/index.ts";
import type { CfgService } from "./cfg.ts";
import type { ConfHost, Settings } from "./settings.ts";

export interface Layers {
  /** What the daemon runs with at present. */
  readonly settings: Settings;
  /** The configuration names a quorum provider; without one nobody counts votes. */
  readonly hasProvider: boolean;
  readonly knet: Knet;
  readonly totem: Totem;
  readonly sync: SyncEngine;
  readonly cpg: Cpg;
  readonly votequorum: Votequorum;
  readonly quorum: QuorumService;
  readonly cmap: CmapService;
  readonly cfg: CfgService;
  /** The machine, as far as a configuration is judged by it. */
  readonly host: ConfHost;
  log(level: LogLevel, subsystem: string, text: string): void;
  /** corosync-cfgtool -L: false where a log file could not be opened again. */
  reopenLogs(): boolean;
  /** The settings are these; no layer is told. */
  takeOver(settings: Settings): void;
}
