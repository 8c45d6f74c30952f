/** Modelled commands that run on the nodes: who started each, and where its output goes. */
import type { Effect } from "../../../engine/kernel/machine.ts";
import { Trouble } from "../trouble.ts";

export interface CommandSink {
  output(stream: "stdout" | "stderr", data: string): void;
  prompt(echo: boolean): void;
  exit(status: number): void;
}

const commandsMax = 1000;
/** What ssh exits with when the machine at the other end goes away. */
const connectionLost = 255;

export class Commands {
  private running = new Map<string, { node: string; sink: CommandSink }>();

  begin(id: string, node: string, sink: CommandSink): void {
    if (this.running.size >= commandsMax) throw new Trouble("failed", `at most ${commandsMax} commands can run at once`);
    this.running.set(id, { node, sink });
  }

  has(id: string): boolean {
    return this.running.has(id);
  }

  forget(id: string): void {
    this.running.delete(id);
  }

  /** The machine has another name. */
  rename(node: string, to: string): void {
    for (const command of this.running.values()) if (command.node === node) command.node = to;
  }

  /** Is a command running on this node? */
  on(node: string): boolean {
    return [...this.running.values()].some((command) => command.node === node);
  }

  /** Passes an effect of the world to whoever started the command. */
  take(machine: string, effect: Effect): void {
    switch (effect.kind) {
      case "output":
        this.running.get(effect.id)?.sink.output(effect.stream, effect.text);
        break;
      case "prompt":
        this.running.get(effect.id)?.sink.prompt(effect.echo);
        break;
      case "exit": {
        const command = this.running.get(effect.id);
        this.running.delete(effect.id);
        command?.sink.exit(effect.status);
        break;
      }
      case "trace":
        if (effect.event.what === "power" && effect.event.state === "off") this.lose(({ node }) => node === machine);
        break;
      default:
    }
  }

  /** Lets go of the commands that `gone` names; of all without it. */
  lose(gone: (command: { node: string }) => boolean = () => true): void {
    for (const [id, command] of this.running) {
      if (!gone(command)) continue;
      this.running.delete(id);
      command.sink.output("stderr", `Connection to ${command.node} closed.\n`);
      command.sink.exit(connectionLost);
    }
  }
}
