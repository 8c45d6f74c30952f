/**
 * The service's lines in the log. In the real stack: log_printf of votequorum.c, whose debug lines are many and built only where somebody reads them.
 */
import type { LogLevel, Port } from "../kernel/index.ts";
import type { VoteTable } from "./table.ts";

export class VoteLog {
  constructor(
    private readonly port: Port,
    private readonly table: VoteTable,
  ) {}

  say(level: LogLevel, text: string): void {
    if (level !== "debug" || this.table.state.debug) this.port.log(level, "VOTEQ", text);
  }

  /** A debug line, built only where debug is on. */
  trace(text: () => string): void {
    if (this.table.state.debug) this.port.log("debug", "VOTEQ", text());
  }
}
