/** What a tool's act means to the daemon's services, where one call answers it. Units are the machine's. */
import type { CmapService } from "../cmap/service.ts";
import type { StatsGroup } from "../cmap/stats.ts";
import type { Votequorum } from "../votequorum/votequorum.ts";
import type { NodeAct } from "./spec.ts";

/** The parts of a running daemon that tools act on. */
export interface DaemonActs {
  readonly votequorum: Pick<Votequorum, "setExpected" | "setVotes" | "deviceInfo" | "deviceUnregister">;
  readonly cmap: Pick<CmapService, "set" | "delete">;
  /** Present members of the ring. */
  readonly ringMembers: readonly number[];
  /** Services have synchronised; otherwise requests that need the ring get CS_ERR_TRY_AGAIN. */
  readonly ready: boolean;
  /** False: the queue towards the ring is full. */
  kill(nodeId: number, reason: string): boolean;
  tryShutdown(): boolean;
  reload(): boolean;
  clearStats(group: StatsGroup): void;
  crash(): void;
}

/** Does it. @returns the error word the tool prints, undefined on success */
export function actOnDaemon(daemon: DaemonActs, act: Exclude<NodeAct, { act: "unit" | "daemon-shutdown" }>): string | undefined {
  switch (act.act) {
    case "cmap-set":
      return daemon.cmap.set(act.key, act.type, act.value);
    case "cmap-delete":
      return daemon.cmap.delete(act.key);
    case "kill-node":
      if (!daemon.ringMembers.includes(act.nodeId)) return "CS_ERR_NOT_EXIST";
      return daemon.ready && daemon.kill(act.nodeId, "Killed by corosync-cfgtool") ? undefined : "CS_ERR_TRY_AGAIN";
    case "corosync-shutdown":
      return daemon.ready && daemon.tryShutdown() ? undefined : "CS_ERR_TRY_AGAIN";
    case "reload":
      return daemon.ready && daemon.reload() ? undefined : "CS_ERR_TRY_AGAIN";
    case "set-expected":
      return daemon.ready ? daemon.votequorum.setExpected(act.votes) : "CS_ERR_TRY_AGAIN";
    case "set-votes":
      return daemon.ready ? daemon.votequorum.setVotes(act.nodeId, act.votes) : "CS_ERR_TRY_AGAIN";
    case "stats-clear":
      daemon.clearStats(act.what);
      return undefined;
    case "daemon-crash":
      daemon.crash();
      return "CS_ERR_LIBRARY";
    case "device-unregister": {
      const device = daemon.votequorum.deviceInfo(act.nodeId);
      if (device?.registered !== true) return undefined;
      return daemon.ready ? daemon.votequorum.deviceUnregister(device.name) : "CS_ERR_TRY_AGAIN";
    }
  }
}
