/** What an acting tool does to its node: a request to a daemon's socket. The answer is the error word, undefined on success. */
import type { NodeAct } from "../command/spec.ts";
import {
  CFG,
  CMAP,
  NO_DAEMON,
  VOTEQUORUM,
  peekCall,
  type CallMap,
  type CfgCalls,
  type CmapCalls,
  type VotequorumCalls,
} from "../corosync/index.ts";
import type { IpcRequest, Peeked } from "../kernel/index.ts";
import { DEVICE_SOCKET, QNETD_SOCKET } from "../qdevice/index.ts";
import type { ServiceCalls } from "./service-calls.ts";

const SOCKETS: Readonly<Record<string, string>> = { "corosync-qdevice": DEVICE_SOCKET, "corosync-qnetd": QNETD_SOCKET };

export interface ActPlace {
  readonly calls: ServiceCalls;
  peek(service: string, request: IpcRequest): Peeked;
}

/** Does it. @returns the error word the tool prints, or undefined */
export function performAct(act: NodeAct, place: ActPlace): string | undefined {
  const ask = <C extends CallMap, K extends keyof C & string>(service: string, call: K, request: C[K]["request"]): string | undefined => {
    const answer = place.calls.call<C, K>(service, call, request);
    return typeof answer === "string" ? NO_DAEMON : answer?.error;
  };
  switch (act.act) {
    case "daemon-shutdown":
      return ask<CallMap, "shutdown">(SOCKETS[act.unit] ?? act.unit, "shutdown", {});
    case "cmap-set":
      return ask<CmapCalls, "cmap_set">(CMAP, "cmap_set", { key: act.key, type: act.type, value: act.value });
    case "cmap-delete":
      return ask<CmapCalls, "cmap_delete">(CMAP, "cmap_delete", { key: act.key });
    case "stats-clear":
      return ask<CmapCalls, "cmap_set">(CMAP, "cmap_set", { map: "stats", key: `stats.clear.${act.what}`, type: "str", value: "" });
    case "kill-node": {
      const request = { nodeId: act.nodeId, reason: "Killed by corosync-cfgtool" };
      return ask<CfgCalls, "corosync_cfg_kill_node">(CFG, "corosync_cfg_kill_node", request);
    }
    case "corosync-shutdown":
      return ask<CfgCalls, "corosync_cfg_try_shutdown">(CFG, "corosync_cfg_try_shutdown", {});
    case "reload": {
      const asked = place.calls.reload();
      return typeof asked === "string" ? asked : undefined;
    }
    case "set-expected":
      return ask<VotequorumCalls, "votequorum_setexpected">(VOTEQUORUM, "votequorum_setexpected", { votes: act.votes });
    case "set-votes":
      return ask<VotequorumCalls, "votequorum_setvotes">(VOTEQUORUM, "votequorum_setvotes", { nodeId: act.nodeId, votes: act.votes });
    case "daemon-crash": {
      const prefix = "stats.schedmiss.";
      const listed = peekCall<CmapCalls, "cmap_iter">((s, r) => place.peek(s, r), CMAP, "cmap_iter", { map: "stats", prefix });
      const key = listed === "waits" || "error" in listed ? undefined : listed.entries[0]?.key;
      return ask<CmapCalls, "cmap_get">(CMAP, "cmap_get", { map: "stats", key: key ?? prefix });
    }
    case "device-unregister": {
      const { nodeId } = act;
      const request = { nodeId };
      const found = peekCall<VotequorumCalls, "votequorum_qdevice_getinfo">(
        (s, r) => place.peek(s, r),
        VOTEQUORUM,
        "votequorum_qdevice_getinfo",
        request,
      );
      if (found === "waits" || "error" in found || !found.info.registered) return undefined;
      return ask<VotequorumCalls, "votequorum_qdevice_unregister">(VOTEQUORUM, "votequorum_qdevice_unregister", { name: found.info.name });
    }
  }
}
