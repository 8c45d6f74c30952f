/**
 * Plays a recorded scenario in a lab of our own: same configuration, every act at its recorded second (in virtual time), every tool asked at the recorded
 * instant. Acts are read from the titles of the steps.
 */
import { SEC, Rng, type Instant, type JournalLine, type TraceEvent } from "../../src/engine/kernel/index.ts";
import type { MachineAct } from "../../src/engine/kernel/index.ts";
import type { FabricAct } from "../../src/engine/fabric/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World, type WorldAct } from "../../src/engine/world/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { count, labOf } from "./lab.ts";
import type { Recording, RecordedStep } from "./recording.ts";

/** All machines have booted by then; the scenario's second 0. */
const BOOTED: Instant = 20 * SEC;

export interface Answer {
  node: string;
  command: string;
  rc: number;
  out: string;
  err: string;
}

export interface PlayedStep {
  step: number;
  title: string;
  answers: Answer[];
  /** Journal of the daemons between this step's act and the next one's, by node. */
  log: Record<string, JournalLine[]>;
}

export interface Traced {
  at: Instant;
  node: string;
  event: TraceEvent;
}

export interface Played {
  steps: PlayedStep[];
  traces: Traced[];
  /** Everything the daemons wrote, with the scenario's seconds. */
  journal: { node: string; line: JournalLine; second: number }[];
  begins: number[];
  world: World;
}

type Timed = { after: number; act: WorldAct };

const service = (node: string, op: "start" | "stop" | "kill"): WorldAct => ({
  to: "machine",
  machine: node,
  act: { kind: "service", op, unit: "corosync" },
});
const machine = (node: string, kind: "service-stall" | "service-resume"): WorldAct => ({
  to: "machine",
  machine: node,
  act: { kind, unit: "corosync" } as MachineAct,
});
const fabric = (act: FabricAct): WorldAct => ({ to: "fabric", act });

/** What the title of a step tells a person to do, as acts with their delay in µs. */
export function actsOf(step: RecordedStep, links: number, rng: Rng): Timed[] {
  const title = step.title.replace(/ \(.*\)$/, "").replace(/:.*$/, "");
  const now = (...acts: WorldAct[]): Timed[] => acts.map((act) => ({ after: 0, act }));
  let m: RegExpExecArray | null;
  if ((m = /^start (node\d(?:, node\d)*)$/.exec(title)) || (m = /^start (again)$/.exec(title))) {
    const nodes = m[1] === "again" ? ["node1"] : (m[1] ?? "").split(", ");
    // Launched one after the other within 50 ms, as the recorder did.
    const offsets = nodes.map((_, i) => (i === 0 ? 0 : rng.below(50_000))).sort((a, b) => a - b);
    return nodes.map((node, i) => ({ after: offsets[i] ?? 0, act: service(node, "start") }));
  }
  if ((m = /^SIGTERM(?: (node\d))?$/.exec(title))) return now(service(m[1] ?? "node1", "stop"));
  if ((m = /^SIGKILL(?: (node\d))?$/.exec(title))) return now(service(m[1] ?? "node1", "kill"));
  if ((m = /^SIGSTOP (node\d) for ([\d.]+) s, then SIGCONT$/.exec(title))) {
    const node = m[1] ?? "";
    return [...now(machine(node, "service-stall")), { after: Number(m[2]) * SEC, act: machine(node, "service-resume") }];
  }
  if ((m = /^SIGSTOP (node\d)$/.exec(title))) return now(machine(m[1] ?? "", "service-stall"));
  if ((m = /^SIGCONT (node\d)$/.exec(title))) return now(machine(m[1] ?? "", "service-resume"));
  if ((m = /^partition ([\d,]+) \| ([\d,]+)$/.exec(title))) {
    const group = (text: string | undefined): string[] => (text ?? "").split(",").map((i) => `node${i}`);
    return now(fabric({ kind: "partition", groups: [group(m[1]), group(m[2])] }));
  }
  if ((m = /^cut (\d) <-> (\d) only$/.exec(title))) {
    return now(fabric({ kind: "link-cut", link: { node: `node${m[1]}`, to: `node${m[2]}`, direction: "both" } }));
  }
  if ((m = /^(?:cut link|carrier of link) (\d) of (node\d)(?: as well| lost)?$/.exec(title))) {
    return now(fabric({ kind: "link-cut", link: { node: m[2] ?? "", net: `link${m[1]}`, direction: "both" } }));
  }
  if ((m = /^heal link (\d) of (node\d)$/.exec(title))) {
    return now(fabric({ kind: "link-heal", link: { node: m[2] ?? "", net: `link${m[1]}`, direction: "both" } }));
  }
  if (title === "heal" || title === "heal both" || title === "carrier back") return now(fabric({ kind: "heal" }));
  if (/^(full cmap|cmap|still cut, 20 s later|brief and per-link status|corosync-cfgtool -H on node2)$/.test(title)) return [];
  throw new Error(`step "${step.title}": no act known for this title (${links} links)`);
}

/** Runs one shell line on a machine of the world, at the present instant. */
async function ask(world: World, node: string, line: string): Promise<{ rc: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const port = new WorldPort(world, node);
  const rc = await runLine(port, line, { stdout: (text) => void (out += text), stderr: (text) => void (err += text) });
  port.close();
  return { rc, out, err };
}

const FILTERED = /^(nodelist\.|quorum\.|runtime\.members\.|runtime\.votequorum\.|totem\.config_version)/;

async function answer(world: World, node: string, command: string): Promise<Answer> {
  const filtered = command === "corosync-cmapctl (filtered)";
  const got = await ask(world, node, filtered ? "corosync-cmapctl" : command);
  const lines = got.out.split("\n").filter((l) => FILTERED.test(l));
  return { node, command, rc: got.rc, err: got.err, out: filtered ? lines.map((l) => `${l}\n`).join("") : got.out };
}

const micros = (second: number): Instant => BOOTED + Math.round(second * SEC);

/** Plays the whole recording with one seed. */
export async function play(recording: Recording, seed: string): Promise<Played> {
  const config = String(recording.config);
  const { links } = count(config);
  const world = new World(labOf(config, seed), makeNode);
  const rng = Rng.from(seed, "conformance");
  const traces: Traced[] = [];
  const journal: Played["journal"] = [];
  world.watch({
    effect: (at, number, effect) => {
      const node = world.names[number] ?? "";
      if (effect.kind === "trace") traces.push({ at: at - BOOTED, node, event: effect.event });
      if (effect.kind === "journal" && effect.line.unit === "corosync")
        journal.push({ node, line: effect.line, second: (at - BOOTED) / SEC });
    },
  });
  const steps: PlayedStep[] = [];
  const begins: number[] = [];
  for (const step of recording.steps) {
    world.runUntil(micros(step.t_start));
    begins.push(step.t_start);
    for (const timed of actsOf(step, links, rng)) {
      if (timed.after === 0) must(world.act(timed.act));
      else must(world.schedule(world.now + timed.after, timed.act));
    }
    const answers: Answer[] = [];
    for (const c of [...step.commands].sort((a, b) => a.t - b.t)) {
      world.runUntil(micros(c.t));
      answers.push(await answer(world, `node${c.node}`, c.cmd));
    }
    world.runUntil(Math.max(world.now, micros(step.t_snapshot)));
    for (const [node, commands] of Object.entries(step.outputs)) {
      for (const command of Object.keys(commands)) if (command !== "(state)") answers.push(await answer(world, node, command));
    }
    steps.push({ step: step.step, title: step.title, answers, log: {} });
  }
  steps.forEach((s, i) => {
    const from = begins[i] ?? 0;
    const to = begins[i + 1] ?? Infinity;
    for (const name of world.names)
      s.log[name] = journal.filter((j) => j.node === name && j.second >= from && j.second < to).map((j) => j.line);
  });
  return { steps, traces, journal, begins, world };
}

function must(result: { ok: boolean; message?: string }): void {
  if (!result.ok) throw new Error(result.message ?? "act refused");
}
