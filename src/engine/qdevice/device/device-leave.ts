/** What corosync-qdevice says while it closes all that it had opened. In the real stack: the destroy functions of corosync-qdevice.c and qdevice-*.c. */
import type { LogLevel } from "../../kernel/index.ts";

export interface LeavingLine {
  readonly level: LogLevel;
  readonly text: string;
  /** Said only where corosync is gone. */
  readonly broken?: true;
}

const debug = (text: string): LeavingLine => ({ level: "debug", text });
const broken = (text: string): LeavingLine => ({ level: "warning", text, broken: true });

/** Before the device is unregistered. */
export const CLOSING: readonly LeavingLine[] = [
  debug("Removing cmap tracking"),
  broken("Can't delete cmap totemconfig_reload_in_progress tracking"),
  broken("Can't delete cmap nodelist tracking"),
  broken("Can't delete cmap logging tracking"),
  broken("Can't delete cmap heuristics tracking"),
  debug("Destroying qdevice model"),
  debug("Destroying algorithm"),
  debug("Destroying qdevice_net_instance"),
  debug("Shutting down NSS"),
  debug("Destroying qdevice ipc"),
  debug("Destroying votequorum and cmap"),
  broken("Can't stop tracking votequorum changes. Error CS_ERR_LIBRARY"),
  broken("Unable to unregister votequorum device. Error CS_ERR_LIBRARY"),
];

/** After it. */
export const CLOSED: readonly string[] = [
  "Destroying heuristics",
  "Waiting for heuristics worker to finish",
  "worker: Heuristic worker shutdown requested",
  "worker: Waiting for all processes to exit",
  "Closing log",
];
