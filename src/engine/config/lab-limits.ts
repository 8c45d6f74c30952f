/**
 * What a corosync.conf can say that a lab cannot run, or runs otherwise: one list for whoever has to know of it. The checker and whatever it serves (import, the page) say it
 * beforehand, a start refuses what is `refused`. Nothing in the real stack. A row goes when the lab learns the setting; what stands on no row works as in corosync 3.1.7, down to
 * the settings that have no effect there.
 */
import { effectiveTotem } from "./timers.ts";
import type { ReleaseProfile } from "./release.ts";
import type { ConfValue, ConfValues } from "./values.ts";

export interface LabLimit {
  /** Keys of the map that the row is about; `N` for a number, `*` for whatever follows. */
  readonly keys: readonly string[];
  /** `refused`: no daemon of the lab starts with it. `otherwise`: it is read and shown, and does not do here what it does on a host. */
  readonly lab: "refused" | "otherwise";
  /** Whether the setting is one that the lab does not have; absent: any value is. */
  readonly when?: (value: string, values: ConfValues, key: string) => boolean;
  readonly text: (value: string, key: string) => string;
  readonly mend: string;
}

/** Below this Totem's packets have no room left for messages. Ours; the real daemon ends by a signal somewhere below. */
const NET_MTU_MIN = 128;

/** Programs that a node has, for the commands of a device's heuristics. */
const HEURISTICS_PROGRAMS: ReadonlySet<string> = new Set(
  (
    "true false test sleep echo sh bash dash ping corosync-cfgtool corosync-cmapctl corosync-cpgtool corosync-quorumtool corosync-qdevice-tool systemctl journalctl pgrep pidof " +
    "ps kill killall pkill"
  ).split(" "),
);

const set =
  (...usual: string[]) =>
  (value: string): boolean =>
    !usual.includes(value);

function programOf(command: string): string {
  return command.trim().split(/[ \t]+/)[0] ?? "";
}

function lacksProgram(command: string): boolean {
  return !HEURISTICS_PROGRAMS.has(programOf(command).replace(/^\/(?:usr\/)?s?bin\//, ""));
}

const noEffect = (value: string, key: string): string => `${key}: ${value} is shown and has no effect in a lab`;

export const LAB_LIMITS: readonly LabLimit[] = [
  {
    keys: ["totem.transport"],
    lab: "refused",
    when: (value) => value === "udp" || value === "udpu",
    text: (value) => `transport ${value} is not modelled in a lab, which runs knet: corosync does not start there`,
    mend: "remove the key; knet is the default",
  },
  {
    keys: ["totem.interface.N.knet_transport"],
    lab: "refused",
    when: (value) => value === "sctp",
    text: (value) => `knet_transport ${value} is not modelled in a lab, which runs udp: corosync does not start there`,
    mend: "remove the key; udp is the default",
  },
  {
    keys: ["totem.heartbeat_failures_allowed"],
    lab: "refused",
    when: set("0"),
    text: () => "the ring's heartbeat is not modelled in a lab: corosync does not start there",
    mend: "remove the key; it is a feature nobody uses",
  },
  {
    keys: ["totem.netmtu"],
    lab: "refused",
    when: (_, values) => effectiveTotem(values).netMtu < NET_MTU_MIN,
    text: (value) =>
      `netmtu ${value} leaves no room for messages: corosync does not start with it in a lab, and ends by a signal on a host`,
    mend: "leave it out, or give it the MTU of the network",
  },
  {
    keys: ["totem.interface.N.knet_ping_precision"],
    lab: "otherwise",
    when: set("0", "2048"),
    text: noEffect,
    mend: "leave it out; latencies in a lab are means over the usual 2048 pings",
  },
  {
    keys: ["logging.syslog_facility", "logging.logger_subsys.*.syslog_facility"],
    lab: "otherwise",
    when: set("daemon"),
    text: noEffect,
    mend: "leave it out; a node's journal keeps no facility",
  },
  {
    keys: ["logging.blackbox"],
    lab: "otherwise",
    when: set("on"),
    text: noEffect,
    mend: "leave it out; a lab's daemons keep no flight data",
  },
  {
    keys: ["logging.logging_daemon.*"],
    lab: "otherwise",
    text: (_, key) => `${key}: how other daemons log is theirs alone in a lab`,
    mend: "leave the section out",
  },
  {
    keys: ["system.qb_ipc_type", "system.priority", "system.move_to_root_cgroup", "system.allow_knet_handle_fallback", "system.state_dir"],
    lab: "otherwise",
    when: (value, _, key) => !(key === "system.state_dir" && value === "/var/lib/corosync"),
    text: noEffect,
    mend: "leave it out; it is about the host, which in a lab is as a package sets it up",
  },
  {
    keys: ["resources.*"],
    lab: "otherwise",
    text: (_, key) => `${key} is shown and has no effect in a lab: its machines have no load or memory to watch`,
    mend: "leave the section out",
  },
  {
    keys: ["nozzle.*"],
    lab: "otherwise",
    text: (_, key) => `${key} is shown and has no effect in a lab: there is no nozzle device`,
    mend: "leave the section out",
  },
  {
    keys: ["quorum.device.net.force_ip_version"],
    lab: "otherwise",
    when: set("0"),
    text: noEffect,
    mend: "leave it out; the device connects to the address that host has",
  },
  {
    keys: ["quorum.device.heuristics.exec_*"],
    lab: "otherwise",
    when: (value, values) => ["on", "sync"].includes(values.get("quorum.device.heuristics.mode")?.text ?? "off") && lacksProgram(value),
    text: (value, key) =>
      `${key.slice(key.lastIndexOf(".") + 1)}: a node of a lab has no program '${programOf(value)}': the heuristics fail there, and the device's vote may be lost`,
    mend: "use a program that a node has (ping, true, corosync's tools), or leave the line out for the lab",
  },
];

/** `N` is a number, `*` whatever follows or stands between. */
function matcher(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/\./g, "\\.").replace(/\bN\b/, "[0-9]+"));
  return new RegExp(`^${parts.join(".+")}$`);
}

const MATCHERS = LAB_LIMITS.map((limit) => ({ limit, patterns: limit.keys.map(matcher) }));

/** The row a key of the map is on, whatever its value. */
export function limitOf(key: string): LabLimit | undefined {
  if (key.startsWith("nodelist.")) return undefined;
  return MATCHERS.find(({ patterns }) => patterns.some((pattern) => pattern.test(key)))?.limit;
}

export interface LimitMet {
  readonly limit: LabLimit;
  readonly key: string;
  readonly value: ConfValue;
}

/** What of a file a lab cannot run or runs otherwise, in the order of its keys. */
export function limitsMet(values: ConfValues): LimitMet[] {
  const out: LimitMet[] = [];
  for (const [key, value] of values) {
    const limit = limitOf(key);
    if (limit !== undefined && (limit.when?.(value.text, values, key) ?? true)) out.push({ limit, key, value });
  }
  return out;
}

/** How a start says that it does not take place for want of a model: nothing where it does, or where the daemon refuses by itself, as one without SCTP does. */
export function unmodelled(values: ConfValues, { withoutSctp }: Pick<ReleaseProfile, "withoutSctp">): string[] {
  return limitsMet(values)
    .filter(({ limit, value }) => limit.lab === "refused" && !(withoutSctp && value.text === "sctp"))
    .map(({ key, value }) => `${key}: ${value.text}: not modelled in this lab`);
}
