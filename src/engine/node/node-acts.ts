/** What an acting tool does to its node: a verb on a unit (D-Bus to systemd), or a request to the daemon. The answer is the error word, undefined on success. */
import { actOnDaemon } from "../command/acts.ts";
import type { NodeAct } from "../command/spec.ts";
import type { Units } from "../machine/index.ts";
import type { Corosync } from "./corosync.ts";

/** What every request answers where nobody listens on the daemon's socket. */
const NO_DAEMON = "CS_ERR_LIBRARY";

function unitAct(act: Extract<NodeAct, { act: "unit" }>, units: Units): string | undefined {
  if (units.get(act.unit) === undefined) return "not-found";
  switch (act.op) {
    case "start":
      units.start(act.unit);
      return undefined;
    case "stop":
      units.stop(act.unit, "exec-stop");
      return undefined;
    case "restart":
      units.restart(act.unit, "exec-stop");
      return undefined;
    case "kill":
      units.kill(act.unit);
      return undefined;
    case "enable":
    case "disable":
      units.setEnabled(act.unit, act.op === "enable");
      return undefined;
    case "reset-failed":
      units.resetFailed(act.unit);
      return undefined;
  }
}

/** Does it. @returns the error word the tool prints, or undefined */
export function performAct(
  act: NodeAct,
  units: Units,
  daemon: Corosync | undefined,
  shutDown: (unit: string) => boolean,
): string | undefined {
  if (act.act === "unit") return unitAct(act, units);
  if (act.act === "daemon-shutdown") return shutDown(act.unit) ? undefined : NO_DAEMON;
  const stack = daemon?.stack;
  if (stack === undefined) return NO_DAEMON;
  return actOnDaemon(
    {
      votequorum: stack.votequorum,
      cmap: stack.cmap,
      ringMembers: stack.totem.members,
      ready: stack.sync.ready,
      kill: (nodeId, reason) => stack.cfg.kill(nodeId, reason),
      reload: () => stack.cfg.requestReload() !== undefined,
      tryShutdown: () => stack.cfg.tryShutdown(),
      clearStats: (group) => daemon?.clearStats(group),
      crash: () => daemon?.crash(),
    },
    act,
  );
}
