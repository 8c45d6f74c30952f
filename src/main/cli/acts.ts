/** Commands that act on a running lab: the acting lines, and those that turn the clock. */
import { wellFormed } from "../lab/process/message-check.ts";
import { connectLab, type LabClient } from "../lab/process/client.ts";
import { labDir } from "../lab/store/paths.ts";
import { Trouble, usage } from "../lab/trouble.ts";
import { print, printJson, say, withProgress } from "./outcome.ts";
import { speedOf, textOf, whole, type Values } from "./values.ts";

function connect(v: Values): Promise<LabClient> {
  return connectLab(labDir(textOf(v["lab"])), wellFormed);
}

/** One word of an acting line, quoted where it needs it. */
function quote(word: string): string {
  if (word !== "" && !/[\s'"]/.test(word)) return word;
  return word.includes("'") ? `"${word}"` : `'${word}'`;
}

/** Booting takes this long at most before we stop waiting, virtual µs. */
const bootPatience = 600e6;

/** `node start|reboot|add` return when the last unit has started. */
async function waitForBoot(client: LabClient, args: readonly string[]): Promise<void> {
  const [head, verb, ...rest] = args;
  const boots = verb === "start" || verb === "reboot" || verb === "add";
  if (head !== "node" || !boots || args.some((word) => word.startsWith("--after"))) return;
  const nodes = verb === "add" ? rest.slice(0, 1) : rest;
  if ((await client.call({ op: "time" })).paused) {
    say("quorate: the lab is paused; the machine boots when it goes on");
    return;
  }
  const wait = client.call({ op: "wait", what: { nodes, booted: true, timeout: bootPatience } });
  const { held, why } = await withProgress(`booting ${nodes.join(" ")}`, wait);
  if (!held) throw new Trouble("failed", why);
}

export async function act(args: string[], v: Values): Promise<number> {
  const client = await connect(v);
  await client.call({ op: "act", line: args.map(quote).join(" ") });
  await waitForBoot(client, args);
  return 0;
}

export async function speed(text: string, v: Values): Promise<number> {
  const wanted = speedOf(text);
  await (await connect(v)).call({ op: "speed", speed: wanted });
  return 0;
}

export async function pause(v: Values): Promise<number> {
  await (await connect(v)).call({ op: "pause" });
  return 0;
}

export async function resume(v: Values): Promise<number> {
  await (await connect(v)).call({ op: "resume" });
  return 0;
}

export async function step(args: string[], v: Values): Promise<number> {
  const unit = args[0] === "event" || args[0] === "window" ? args[0] : undefined;
  const count = unit === undefined ? args[0] : args[1];
  if (unit === undefined && args.length > 1) throw usage(`step ${JSON.stringify(args[0])}: event or window is allowed, then a count`);
  if (unit === undefined && count !== undefined && !/^\d+$/.test(count))
    throw usage(`step ${JSON.stringify(count)}: event or window is allowed, then a count`);
  const client = await connect(v);
  const time = await client.call({ op: "step", unit: unit ?? "event", count: whole(count, "step", 1, 100_000) ?? 1 });
  print(`${time.instant}`);
  return 0;
}

export async function skip(v: Values): Promise<number> {
  const client = await connect(v);
  const { found, what, instant } = await withProgress("skipping to the next change", client.call({ op: "skip" }));
  if (!found) throw new Trouble("failed", "nothing changed within one virtual hour");
  print(`${(instant / 1e6).toFixed(6)} s: ${what}`);
  return 0;
}

export async function time(v: Values): Promise<number> {
  const now = await (await connect(v)).call({ op: "time" });
  if (v["json"] === true) printJson(now);
  else {
    const pace = now.paused ? "paused" : now.speed === "max" ? "max" : `×${now.speed}`;
    const slow = !now.paused && now.speed !== "max" && now.achieved < 0.9 * now.speed ? ` (achieved ×${now.achieved.toFixed(2)})` : "";
    print(`${(now.instant / 1e6).toFixed(6)} s since ${now.epoch}, ${pace}${slow}`);
  }
  return 0;
}
