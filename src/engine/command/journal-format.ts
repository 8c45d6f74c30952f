/**
 * A journal line as journalctl prints it: -o short and its kin, cat, json, verbose. In the real stack: logs-show.c of systemd 252; journal fields of systemd.journal-fields(7).
 * Left out: export, json-seq and json-sse, colours.
 */
import { civilFromUnix, Hasher, SEC, type JournalLine, type LogLevel } from "../kernel/index.ts";
import { isoSeconds, preciseTime, isoTime, syslogTime, systemdTime } from "./dates.ts";

export const LEVELS: readonly LogLevel[] = ["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"];

export const FORMATS = [
  "short",
  "short-precise",
  "short-iso",
  "short-iso-precise",
  "short-full",
  "short-unix",
  "short-monotonic",
  "verbose",
  "json",
  "json-pretty",
  "cat",
] as const;
export type Format = (typeof FORMATS)[number];

/** Whose journal it is, and when its instant 0 was. */
export interface Journal {
  readonly hostname: string;
  /** Microseconds since 1970. */
  readonly epochUnixMicros: number;
}

/** The message as corosync gives it to syslog: its subsystem in a bracket of its own, after two blanks. */
export function messageText(line: JournalLine): string {
  return line.subsystem === "" ? line.text : `  [${line.subsystem.padEnd(6)}] ${line.text}`;
}

/** Thirty-two hex digits that stand for a text. */
function id128(...parts: readonly string[]): string {
  const half = (salt: string): string => parts.reduce((h, part) => h.text(part), new Hasher().text(salt)).hex();
  return half("one half") + half("the other");
}

/** The same for every look at one boot. */
export function bootId(host: Pick<Journal, "hostname">, boot: number): string {
  const half = (salt: string): string => new Hasher().text(host.hostname).text(salt).int(boot).hex();
  return half("boot id") + half("boot id, second half");
}

const full = (unit: string): string => (unit.includes(".") ? unit : `${unit}.service`);

/** The fields of an entry. A line of PID 1 about a unit has it in UNIT=, one of the unit's own processes in _SYSTEMD_UNIT=. */
export function fieldsOf(host: Journal, line: JournalLine): readonly (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [
    ["_BOOT_ID", bootId(host, line.boot)],
    ["_MACHINE_ID", id128("machine", host.hostname)],
    ["_HOSTNAME", host.hostname],
    ["PRIORITY", String(LEVELS.indexOf(line.level))],
    ["SYSLOG_IDENTIFIER", line.identifier],
    ["MESSAGE", messageText(line)],
  ];
  if (line.unit === "kernel") return [...fields, ["_TRANSPORT", "kernel"], ["SYSLOG_FACILITY", "0"]];
  const manager = line.pid === 1;
  fields.push(
    ["_TRANSPORT", manager ? "journal" : "syslog"],
    ["SYSLOG_FACILITY", "3"],
    ["_PID", String(line.pid)],
    ["_COMM", line.identifier.replace(/^\(|\)$/g, "")],
  );
  if (!manager)
    return [
      ...fields,
      ["_SYSTEMD_UNIT", full(line.unit)],
      ["_SYSTEMD_SLICE", line.unit.endsWith(".scope") ? "user-0.slice" : "system.slice"],
    ];
  fields.push(["_SYSTEMD_UNIT", "init.scope"]);
  return line.unit === "systemd" ? fields : [...fields, ["UNIT", full(line.unit)]];
}

/** Where an entry is: its place in the journal, as far as it is needed to tell it from others. */
function cursor(host: Journal, line: JournalLine, monotonic: number): string {
  const at = host.epochUnixMicros + line.instant;
  const x = new Hasher().text(line.text).int(line.instant).hex();
  return `s=${id128("journal", host.hostname)};i=${line.instant.toString(16)};b=${bootId(host, line.boot)};m=${monotonic.toString(16)};t=${at.toString(16)};x=${x}`;
}

/** With fields in the order that journalctl has them: the addresses first. */
function json(host: Journal, line: JournalLine, bootedAt: number, pretty: boolean): string {
  const monotonic = line.instant - bootedAt;
  const all: (readonly [string, string])[] = [
    ["__CURSOR", cursor(host, line, monotonic)],
    ["__REALTIME_TIMESTAMP", String(host.epochUnixMicros + line.instant)],
    ["__MONOTONIC_TIMESTAMP", String(monotonic)],
    ...fieldsOf(host, line),
  ];
  const parts = all.map(([key, value]) => `${JSON.stringify(key)}${pretty ? " : " : ":"}${JSON.stringify(value)}`);
  return pretty ? `{\n\t${parts.join(",\n\t")}\n}\n` : `{${parts.join(",")}}\n`;
}

function verbose(host: Journal, line: JournalLine, bootedAt: number): string {
  const at = host.epochUnixMicros + line.instant;
  const micros = String(civilFromUnix(at).micros).padStart(6, "0");
  const time = systemdTime(at).replace(/ UTC$/, `.${micros} UTC`);
  const rows = [...fieldsOf(host, line)].map(([key, value]) => `    ${key}=${value}\n`);
  return `${time} [${cursor(host, line, line.instant - bootedAt)}]\n${rows.join("")}`;
}

const six = (micros: number): string => `${Math.floor(micros / SEC)}.${String(micros % SEC).padStart(6, "0")}`;

function stamp(host: Journal, line: JournalLine, format: Format, bootedAt: number): string {
  const at = host.epochUnixMicros + line.instant;
  switch (format) {
    case "short-precise":
      return preciseTime(at);
    case "short-iso":
      return isoTime(at);
    case "short-iso-precise":
      return `${isoSeconds(at)}.${String(civilFromUnix(at).micros).padStart(6, "0")}+0000`;
    case "short-full":
      return systemdTime(at);
    case "short-unix":
      return six(at);
    case "short-monotonic":
      return `[${six(line.instant - bootedAt).padStart(12)}]`;
    default:
      return syslogTime(at);
  }
}

/** Who wrote a line: `systemd[1]`, `corosync[1234]`, `kernel`. */
function writer(line: JournalLine): string {
  return line.unit === "kernel" ? "kernel" : `${line.identifier}[${line.pid}]`;
}

/** `Nov 20 09:35:28 pve1 corosync[1234]:   [QUORUM] Members[1]: 1` and the other formats. `bootedAt`: when the line's boot began. */
export function journalText(host: Journal, line: JournalLine, format: Format, hostname: boolean, bootedAt = 0): string {
  if (format === "cat") return `${messageText(line)}\n`;
  if (format === "json" || format === "json-pretty") return json(host, line, bootedAt, format === "json-pretty");
  if (format === "verbose") return verbose(host, line, bootedAt);
  return `${stamp(host, line, format, bootedAt)} ${hostname ? `${host.hostname} ` : ""}${writer(line)}: ${messageText(line)}\n`;
}
