/**
 * The Totem layer told as transcripts: each file under totem/ is read from top to bottom; a line is a command, what follows `----` up to the next empty
 * line is what the ring logged and delivered meanwhile. `QUORATE_REWRITE=1` writes the files anew, for a person to read the difference.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BareRing } from "./ring.ts";

const DIR = new URL("./totem/", import.meta.url);

const ids = (text: string): number[] => text.split(",").map(Number);

class Teller {
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
        expect(this.ring.daemon(Number(args[0])).say(args.slice(1).join(" "))).toBe(true);
        break;
      case "run":
        this.ring.run(Number(args[0]));
        break;
      case "delivered":
        return this.deliveries();
      default:
        throw new Error(`no such transcript command: ${line}`);
    }
    const added = this.ring.lines.slice(this.told);
    this.told = this.ring.lines.length;
    return added;
  }

  private deliveries(): string[] {
    return [...this.ring.daemons.values()].map((d) => {
      const from = this.delivered.get(d.id) ?? 0;
      this.delivered.set(d.id, d.delivered.length);
      return `node${d.id}: ${d.delivered.slice(from).join(" | ")}`;
    });
  }
}

/** Replays a transcript and returns it with what really happened: blocks of commands, each closed by an empty line, its answer at its end. */
function retell(text: string): string {
  const teller = new Teller();
  const blocks = text.trimEnd().split("\n\n");
  const told = blocks.map((block) => {
    const commands = block.split("\n----\n")[0]?.split("\n") ?? [];
    const answer = commands.flatMap((line) => (line.startsWith("#") ? [] : teller.run(line)));
    return [...commands, ...(answer.length > 0 ? ["----", ...answer] : [])].join("\n");
  });
  return `${told.join("\n\n")}\n`;
}

for (const file of readdirSync(DIR).filter((f) => f.endsWith(".txt"))) {
  test(`transcript ${file}`, () => {
    const url = new URL(file, DIR);
    const text = readFileSync(url, "utf8");
    const told = retell(text);
    if (process.env["QUORATE_REWRITE"] === "1") writeFileSync(url, told);
    else expect(told).toBe(text);
  });
}
