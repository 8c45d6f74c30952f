/**
 * Where the daemon's lines go: syslog and standard error, as the logging section wants it, and before that is known as a first look at the file says. In the real stack:
 * logsys and logconfig. Left out: the log file of to_logfile, file and function names, the black box.
 */
import type { LogLevel, Os } from "../kernel/index.ts";
import { terminalLine, type Line } from "./lines.ts";
import type { Settings } from "./settings.ts";
import type { RunState, RefusalLine } from "./state.ts";

const IDENTIFIER = "corosync";

export class DaemonLog {
  constructor(
    private readonly os: Os,
    private readonly run: () => RunState,
    private readonly settings: () => Settings | undefined,
  ) {}

  line(level: LogLevel, subsystem: string, text: string): void {
    const run = this.run();
    if (run.phase === "dead") return;
    const logging = this.settings()?.config.logging;
    if (level === "debug" && logging?.debug !== true) return;
    const { heard, logging: early } = run;
    if (heard && early.stderr) this.os.print("stderr", terminalLine(this.os.unixMicros(), early.timestamp, { level, subsystem, text }));
    if (logging?.toSyslog ?? early.syslog) this.os.log(IDENTIFIER, level, text, subsystem);
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
