/** Where a command would be found. */
import type { Run } from "../interpreter/program.ts";
import { FILTER_NAMES } from "./filters.ts";
import { isNoted } from "./noted.ts";
import { programNames } from "./names.ts";

/** Programs that live in /usr/sbin on a node. */
const SBIN =
  /^(?:corosync.*|pve(?!sh$|sm$|um$|version$|perf$|subscription$|report$|ceph$).*|qm|pct|ha-manager|vzdump|ip|ss|tc|nft|iptables|reboot|poweroff|shutdown|halt|smartctl|modprobe|lsmod|chronyd|watchdog-mux|traceroute)$/;

/** @returns the path, or undefined when nothing of that name runs */
export async function whichPath(run: Run, name: string): Promise<string | undefined> {
  if (name.includes("/")) {
    const stat = await run.files.maybeStat(run.path(name));
    return stat && stat.type !== "directory" && (stat.mode & 0o111) !== 0 ? name : undefined;
  }
  const own = programNames.includes(name) || FILTER_NAMES.includes(name) || isNoted(name);
  if (!own && !(await isModelled(run, name))) return undefined;
  return `${SBIN.test(name) ? "/usr/sbin" : "/usr/bin"}/${name}`;
}

async function isModelled(run: Run, name: string): Promise<boolean> {
  if (name === "") return false;
  const reply = await run.system.query({ kind: "complete", argv: [name], cwd: run.shell.cwd });
  return reply.kind === "completions" && reply.candidates.some((word) => word.trim() === name);
}
