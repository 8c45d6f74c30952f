/** The events of one running command, between who reports them and the shell that reads them. */
import type { CommandEvent } from "./port.ts";

/** Characters of output one command may have waiting for its reader; what a slow reader misses beyond that is said in its place. */
const WAITING_MAX = 64 * 1024 * 1024;

export class CommandQueue {
  private readonly events: CommandEvent[] = [];
  private waiting: { resolve: (event: CommandEvent) => void; reject: (error: Error) => void } | undefined;
  private size = 0;
  private dropped = false;
  private failed: Error | undefined;
  private exit: CommandEvent | undefined;

  push(event: CommandEvent): void {
    if (this.exit) return;
    if (event.kind === "exit") this.exit = event;
    if (this.waiting) {
      this.waiting.resolve(event);
      this.waiting = undefined;
      return;
    }
    if (event.kind === "output") {
      if (this.dropped) return;
      this.size += event.text.length;
      if (this.size > WAITING_MAX) {
        this.dropped = true;
        this.events.push({
          kind: "output",
          stream: "stderr",
          text: `output beyond ${WAITING_MAX / 1048576} MiB was dropped: nobody read it\n`,
        });
        return;
      }
    }
    this.events.push(event);
  }

  fail(error: Error): void {
    this.failed = error;
    this.waiting?.reject(error);
    this.waiting = undefined;
  }

  next(): Promise<CommandEvent> {
    const event = this.events.shift();
    if (event) {
      if (event.kind === "output") this.size -= event.text.length;
      return Promise.resolve(event);
    }
    if (this.exit) return Promise.resolve(this.exit);
    if (this.failed) return Promise.reject(this.failed);
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }
}
