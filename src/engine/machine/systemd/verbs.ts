/** The verbs of systemctl that ask for a job, and which job each is. In the real stack: the methods StartUnit, ReloadOrRestartUnit and their like of the manager's D-Bus interface. */
import type { JobType } from "./record.ts";

export type Verb = "start" | "stop" | "restart" | "try-restart" | "reload" | "reload-or-restart" | "try-reload-or-restart" | "isolate";

export function jobTypeOf(verb: Verb, canReload: boolean): JobType {
  switch (verb) {
    case "stop":
    case "reload":
    case "restart":
      return verb;
    case "try-restart":
      return "restart";
    case "reload-or-restart":
    case "try-reload-or-restart":
      return canReload ? "reload-or-start" : "restart";
    default:
      return "start";
  }
}
