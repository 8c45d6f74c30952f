/**
 * Where the daemon's lines go: syslog, standard error and its files, as the logging section wants it. In the real stack: logsys over libqb's log targets. A file is opened once and written to
 * until it is told to open it again (corosync-cfgtool -L) or another is named, wherever it is moved meanwhile; what a full disk does not take is lost, without a word, as libqb has it.
 * Left out: the black box.
 */
import { reaches, type LoggingConfig } from "../config/index.ts";
import { strerror, errnoNumber, utf8, type Errno, type LogLevel, type Os } from "../kernel/index.ts";
import { fileLine, terminalLine, type Line } from "./lines.ts";
import { placed } from "./source-places.ts";
import type { RunState, RefusalLine } from "./state.ts";

const IDENTIFIER = "corosync";

/** Those that some logger has, written or not. */
function filesOf({ main, subsystems }: LoggingConfig): Set<string> {
  return new Set([main, ...Object.values(subsystems)].flatMap((l) => l.file ?? []));
}

export class DaemonLog {
  constructor(
    private readonly os: Os,
    private readonly run: () => RunState,
  ) {}

  /** Opens a log file that is not open yet, at its end. @returns why it cannot be opened */
  open(file: string): string | undefined {
    const { logFiles } = this.run();
    if (Object.hasOwn(logFiles, file)) return undefined;
    const fd = file === "" ? "ENOENT" : this.opened(file);
    if (typeof fd === "string") return `${strerror(fd)} (${errnoNumber(fd)})`;
    logFiles[file] = fd;
    return undefined;
  }

  private opened(file: string): number | Errno {
    const flags = { access: "rw", create: true, append: true } as const;
    const reply = this.os.files.blocking({ call: "open", path: file, flags, mode: 0o644 });
    if (!reply.ok) return reply.errno;
    if (reply.value !== "fd") throw new Error("open answered without a descriptor");
    return reply.fd;
  }

  private close(file: string): void {
    const run = this.run();
    const fd = run.logFiles[file];
    if (fd === undefined) return;
    this.os.files.blocking({ call: "close", fd });
    run.logFiles = Object.fromEntries(Object.entries(run.logFiles).filter(([name]) => name !== file));
  }

  /** Lines go by this from now on. Of a file that cannot be opened nothing is said: the one before stays. */
  take(next: LoggingConfig): void {
    const run = this.run();
    const before = run.logging;
    const had = filesOf(before);
    // One that it has is not opened again for that, even where it could not be opened the last time.
    const usable = (file: string | undefined): string | undefined =>
      file === undefined || had.has(file) || this.open(file) === undefined ? file : before.main.file;
    const main = { ...next.main, file: usable(next.main.file) };
    const subsystems = Object.fromEntries(Object.entries(next.subsystems).map(([name, l]) => [name, { ...l, file: usable(l.file) }]));
    const files = next.files.flatMap((file) => usable(file) ?? []);
    run.logging = { ...next, main, subsystems, files };
    const kept = filesOf(run.logging);
    for (const file of Object.keys(run.logFiles)) if (!kept.has(file)) this.close(file);
  }

  /** Each file is opened again under its name. @returns false where one could not be, which is then no longer written to */
  reopen(): boolean {
    let all = true;
    for (const file of filesOf(this.run().logging)) {
      this.close(file);
      const reason = this.open(file);
      if (reason === undefined) continue;
      all = false;
      this.line("warning", "QB", `Unable to reopen log file ${file}: ${reason}`);
    }
    return all;
  }

  line(level: LogLevel, subsystem: string, text: string): void {
    const run = this.run();
    if (run.phase === "dead") return;
    const { logging } = run;
    if (level === "debug" && !logging.debug) return;
    const logger = logging.subsystems[subsystem] ?? logging.main;
    const wanted = (least: LogLevel): boolean => logger.debug || reaches(level, least);
    const l = placed({ level, subsystem, text }, logging);
    if (logging.toSyslog && wanted(logger.syslogPriority)) this.os.log(IDENTIFIER, level, l.text, subsystem);
    if (!wanted(logger.logfilePriority)) return;
    if (run.heard && logging.toStderr) this.os.print("stderr", terminalLine(this.os.unixMicros(), logging.timestamp, l));
    const fd = logger.file === undefined || !logging.files.includes(logger.file) ? undefined : run.logFiles[logger.file];
    if (fd === undefined) return;
    const { pid, hostname } = this.os;
    const data = utf8(fileLine(this.os.unixMicros(), logging.timestamp, { pid, hostname }, l));
    this.os.files.blocking({ call: "write", fd, data });
  }

  say(lines: readonly Line[]): void {
    for (const l of lines) this.line(l.level, l.subsystem, l.text);
  }

  /** Messages without a subsystem go to standard error and syslog directly; an assertion's to standard error only. */
  tell(messages: readonly RefusalLine[]): void {
    for (const m of messages) {
      if (m.subsystem !== undefined) {
        this.line(m.level, m.subsystem, m.text);
        continue;
      }
      if (this.run().heard) this.os.print("stderr", `${m.text}\n`);
      if (m.level !== "crit") this.os.log(IDENTIFIER, m.level, m.text);
    }
  }
}
