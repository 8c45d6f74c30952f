/**
 * Conditions and assertions of a unit: whether they hold on this machine now. In the real stack: condition.c; systemd.unit(5) "Conditions and Asserts". Left out: what
 * this lab's machines have no state for (security modules, memory, first boot): it is answered as on an ordinary Proxmox VE node.
 */
import { fromUtf8, globMatches } from "../../kernel/index.ts";
import type { Check } from "./definition.ts";
import type { FileView } from "./files.ts";
import type { HostFacts } from "./names.ts";

/** Any path that fits the pattern. */
function globExists(files: FileView, pattern: string): boolean {
  const walk = (at: string, rest: readonly string[]): boolean => {
    const [part, ...more] = rest;
    if (part === undefined) return files.stat(at === "" ? "/" : at) !== undefined;
    if (!/[*?[]/.test(part)) return walk(`${at}/${part}`, more);
    return (files.list(at === "" ? "/" : at) ?? []).some(
      (name) => globMatches(part, name) && (!name.startsWith(".") || part.startsWith(".")) && walk(`${at}/${name}`, more),
    );
  };
  return walk(
    "",
    pattern.split("/").filter((p) => p !== ""),
  );
}

function pathHolds(kind: string, path: string, files: FileView): boolean | undefined {
  const stat = files.stat(path);
  switch (kind) {
    case "PathExists":
      return stat !== undefined;
    case "PathExistsGlob":
      return globExists(files, path);
    case "PathIsDirectory":
      return stat?.type === "directory";
    case "PathIsSymbolicLink":
      return files.readlink(path) !== undefined;
    case "PathIsMountPoint":
      return path === "/" || path === "/run";
    case "PathIsReadWrite":
      return stat !== undefined && !path.startsWith("/proc");
    case "DirectoryNotEmpty":
      return (files.list(path) ?? []).length > 0;
    case "FileNotEmpty":
      return stat?.type === "file" && stat.size > 0;
    case "FileIsExecutable":
      return stat?.type === "file" && (stat.mode & 0o111) !== 0;
    default:
      return undefined;
  }
}

/** What a word of /proc/cmdline says: a bare word, or an assignment. */
function commandLineHolds(value: string, files: FileView): boolean {
  const data = files.read("/proc/cmdline");
  const items = data === undefined ? [] : fromUtf8(data).trim().split(/\s+/);
  return items.some((word) => word === value || (!value.includes("=") && word.startsWith(`${value}=`)));
}

function holds(check: Check, files: FileView, host: HostFacts): boolean {
  const path = pathHolds(check.kind, check.value, files);
  if (path !== undefined) return path;
  switch (check.kind) {
    case "Host":
      return check.value === host.machineId || globMatches(check.value.toLowerCase(), host.hostname.toLowerCase());
    case "KernelCommandLine":
      return commandLineHolds(check.value, files);
    case "Virtualization":
      return ["yes", "true", "1", "vm", "kvm"].includes(check.value);
    case "Architecture":
      return check.value === "x86-64";
    case "User":
    case "Group":
      return check.value === "root" || check.value === "0" || check.value === "@system";
    case "Capability":
    case "ACPower":
    case "Memory":
    case "CPUs":
    case "KernelVersion":
      return true;
    default:
      // Security modules, updates to finish, a first boot, credentials: an ordinary node has none of them.
      return false;
  }
}

/** The first check that does not hold; of those marked `|` one is enough, and `trigger` says that none was. */
export function firstUnmet(checks: readonly Check[], files: FileView, host: HostFacts): Check | "trigger" | undefined {
  let triggers = 0;
  let triggered = false;
  for (const check of checks) {
    const met = holds(check, files, host) !== check.negated;
    if (check.trigger) {
      triggers++;
      triggered ||= met;
    } else if (!met) return check;
  }
  return triggers > 0 && !triggered ? "trigger" : undefined;
}

/** `ConditionPathExists=!/etc/x`, as the journal and `systemctl status` name one. */
export function checkText(prefix: "Condition" | "Assert", check: Check): string {
  return `${prefix}${check.kind}=${check.trigger ? "|" : ""}${check.negated ? "!" : ""}${check.value}`;
}
