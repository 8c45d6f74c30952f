/**
 * Totem with no services on it, and knet below. Commands: nodes N [debug] · start ID… · kill ID · leave ID · partition 1,2 3 · cut A>B · heal · loss PERCENT ·
 * say ID TEXT · run SECONDS · delivered. Shown: log lines with the time in ms, and what was delivered to whom.
 */
import { BareRing } from "../ring.ts";
import type { Driver } from "../told.ts";

const ids = (text: string): number[] => text.split(",").map(Number);

export class TotemDriver implements Driver {
  private ring = new BareRing(3);
  private told = 0;
  private readonly delivered = new Map<number, number>();

  run(line: string): string[] {
    const [verb, ...args] = line.split(" ");
    switch (verb) {
      case "nodes":
        this.ring = new BareRing(Number(args[0]), "transcript", args.slice(1).includes("debug") ? ["notice", "info", "debug"] : ["notice"]);
        this.told = 0;
        break;
      case "start":
        for (const id of args) this.ring.start(Number(id));
        break;
      case "kill":
        this.ring.kill(Number(args[0]));
        break;
      case "leave":
        this.ring.daemon(Number(args[0])).totem.leave();
        break;
      case "partition":
        this.ring.partition(...args.map(ids));
        break;
      case "cut":
        this.ring.cuts.add(args[0] ?? "");
        break;
      case "heal":
        this.ring.heal();
        break;
      case "loss":
        this.ring.loss = Number(args[0]);
        break;
      case "say":
        if (!this.ring.daemon(Number(args[0])).say(args.slice(1).join(" "))) throw new Error(`${line}: the queue is full`);
        break;
      case "run":
        this.ring.run(Number(args[0]));
        break;
      case "delivered":
        return this.deliveries();
      default:
        throw new Error(`totem transcripts have no such command: ${line}`);
    }
    const lines = this.ring.lines.slice(this.told);
    this.told = this.ring.lines.length;
    return lines;
  }

  private deliveries(): string[] {
    return [...this.ring.daemons.values()].map((d) => {
      const from = this.delivered.get(d.id) ?? 0;
      this.delivered.set(d.id, d.delivered.length);
      return `node${d.id}: ${d.delivered.slice(from).join(" | ")}`;
    });
  }
}
