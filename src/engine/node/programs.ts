/** Which of the modelled programs are on the disk of which machine: what Proxmox VE installs, what a package adds, what a qnetd host has. */
import { commands } from "../command/index.ts";

export type MachineKind = "node" | "qnetd";

const OF_PACKAGE: Readonly<Record<string, readonly string[]>> = { "corosync-qdevice": ["corosync-qdevice-tool"] };
const QNETD_HOST: ReadonlySet<string> = new Set(["systemctl", "journalctl", "corosync-qnetd-tool"]);
/** Not on a node by itself. */
const EXTRA: ReadonlySet<string> = new Set(["corosync-qnetd-tool", "corosync-qdevice-tool"]);

export function programsOf(kind: MachineKind, packages: readonly string[]): ReadonlySet<string> {
  if (kind === "qnetd") return QNETD_HOST;
  const own = [...commands.keys()].filter((name) => !EXTRA.has(name));
  return new Set([...own, ...packages.flatMap((p) => OF_PACKAGE[p] ?? [])]);
}
