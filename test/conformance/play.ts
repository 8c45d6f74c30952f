/**
 * Plays a recorded scenario in a lab of our own: same configuration, every act at its recorded second (in virtual time), every tool asked at the recorded
 * instant. Acts are read from the titles of the steps.
 */
import type { Release } from "../../src/engine/config/index.ts";
import { SEC, Rng, utf8, type Instant, type JournalLine, type TraceEvent } from "../../src/engine/kernel/index.ts";
import type { MachineAct } from "../../src/engine/kernel/index.ts";
import type { FabricAct } from "../../src/engine/fabric/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, type WorldAct } from "../../src/engine/world/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { editsOf, type Edit } from "./edits.ts";
import type { ExclusionName } from "./exclusions.ts";
import { count, labOf } from "./lab.ts";
import type { Recording, RecordedStep } from "./recording.ts";

/** How long the recorder's next relay took to run; the computer of the later recordings had more to do. */
const RELAY_STARTS: Readonly<Record<Release, number>> = { "3.1.7": 0.15 * SEC, "9.1": 0.15 * SEC, "9.2": 0.4 * SEC };

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
  /** Acts and questions that came at another instant than the recording says, by the reason. */
  adjusted: ExclusionName[];
  /** When processes were stopped and went on, in the scenario's seconds. */
  pauses: { node: string; from: number; until: number }[];
  world: World;
}

export type Timed = { after: number; act: WorldAct };

const service = (node: string, op: "start" | "stop" | "kill", unit = "corosync"): WorldAct => ({
  to: "machine",
  machine: node,
  act: { kind: "service", op, unit },
});
const machine = (node: string, kind: "service-stall" | "service-resume"): WorldAct => ({
  to: "machine",
  machine: node,
  act: { kind, unit: "corosync" } as MachineAct,
});
const fabric = (act: FabricAct): WorldAct => ({ to: "fabric", act });

/** Nodes whose device is started in this step, in the order in which the recorded server saw them, a little apart. */
function devices(step: RecordedStep): Timed[] {
  const seen = (step.log["qnetd"] ?? []).flatMap(([, line]) => /^.{15} debug {5}node_id = (\d+)$/.exec(line)?.[1] ?? []);
  return seen.map((id, i) => ({ after: 100_000 + i * 20_000, act: service(`node${id}`, "start", "corosync-qdevice") }));
}

const groupOf = (text: string): string[] => text.split(",").map((i) => (i === "qnetd" ? i : `node${i}`));

/** What is done to the quorum device and its server. */
function deviceActs(step: RecordedStep, title: string): Timed[] | undefined {
  const qnetd = (op: "start" | "kill"): Timed => ({ after: 0, act: service("qnetd", op, "corosync-qnetd") });
  if (title === "start corosync-qnetd, then corosync-qdevice on every node") return [qnetd("start"), ...devices(step)];
  if (title === "start corosync-qnetd") return [qnetd("start")];
  if (title === "SIGKILL corosync-qnetd") return [qnetd("kill")];
  if (/^start qdevice on node\d(, node\d)*$/.test(title)) return devices(step);
  if (title === "stop the qdevice daemons, remove quorum.device by -R")
    return ["node1", "node2"].map((node) => ({ after: 0, act: service(node, "stop", "corosync-qdevice") }));
  return title === "verbose qdevice status" || title === "add quorum.device by -R" ? [] : undefined;
}

/**
 * How much later a scenario's first start is, µs. knet's heartbeat thread comes some 70 µs late to each of its wakes, which the lab's does not; where a recorded
 * act falls within 4 ms of a wake two minutes later (qdevice-lms-3, step 10), the lab's wake stands where the recorded one had come to.
 */
const FIRST_START_LATE: Readonly<Record<string, number>> = { "qdevice-lms-3": 40_000 };

/** From exec to a daemon's first line, about, µs. */
const EXEC = 12_000;

/** When the recorder launched a daemon after the step's begin, µs. */
function launchedAt(step: RecordedStep, node: string): number {
  const first = (step.log[node] ?? []).find(([, line]) => line.includes("starting up"))?.[0] ?? step.t_start;
  return Math.max(0, Math.round((first - step.t_start) * SEC) - EXEC);
}

/** When the daemon of a node was launched in this step, after its beginning: the recorder waited for the old one to end. */
function startedAfter(step: RecordedStep, node: string): number {
  const first = (step.log[node] ?? []).find(([, line]) => line.includes("starting up"));
  if (first === undefined) throw new Error(`step "${step.title}": ${node} was not started`);
  return Math.round((first[0] - step.t_start) * SEC);
}

/** What the title of a step tells a person to do, as acts with their delay in µs. */
export function actsOf(step: RecordedStep, release: Release, links: number, rng: Rng, late: number | undefined): Timed[] {
  const title = step.title
    .replace(/ \(.*\)$/, "")
    .replace(/ (?:if it is gone|with config_version \d)$/, "")
    .replace(/:.*$/, "");
  const now = (...acts: WorldAct[]): Timed[] => acts.map((act) => ({ after: 0, act }));
  const ofDevice = deviceActs(step, title);
  if (ofDevice !== undefined) return ofDevice;
  let m: RegExpExecArray | null;
  if ((m = /^start (node\d(?:, node\d)*)(?: alone)?$/.exec(title)) || (m = /^start (again)$/.exec(title))) {
    const nodes = m[1] === "again" ? ["node1"] : (m[1] ?? "").split(", ");
    // Launched one after the other within 50 ms, as the recorder did; beside a quorum device at the recorded instants, as its steps build on each other's phases.
    const offsets = nodes.map((_, i) => (i === 0 ? 0 : rng.below(50_000))).sort((a, b) => a - b);
    const launched = (node: string, i: number): number => (late === undefined ? (offsets[i] ?? 0) : launchedAt(step, node) + late);
    return nodes.map((node, i) => ({ after: launched(node, i), act: service(node, "start") }));
  }
  if ((m = /^new file on node3 \(version 3\), start (node3)$/.exec(step.title))) return now(service(m[1] ?? "", "start"));
  if ((m = /^SIGTERM(?: (node\d))?(?:, then nodelist without node3, -R)?$/.exec(title))) return now(service(m[1] ?? "node1", "stop"));
  if ((m = /^SIGTERM (node\d), start \1$/.exec(title))) {
    const node = m[1] ?? "";
    return [...now(service(node, "stop")), { after: startedAfter(step, node), act: service(node, "start") }];
  }
  if ((m = /^SIGKILL (node\d) and (node\d)$/.exec(title))) return now(service(m[1] ?? "", "kill"), service(m[2] ?? "", "kill"));
  if ((m = /^SIGKILL(?: (node\d))?$/.exec(title))) return now(service(m[1] ?? "node1", "kill"));
  if ((m = /^SIGSTOP (node\d) for ([\d.]+) s, then SIGCONT$/.exec(title))) {
    const node = m[1] ?? "";
    return [...now(machine(node, "service-stall")), { after: Number(m[2]) * SEC, act: machine(node, "service-resume") }];
  }
  if ((m = /^SIGSTOP (node\d)$/.exec(title))) return now(machine(m[1] ?? "", "service-stall"));
  if ((m = /^SIGCONT (node\d)$/.exec(title))) return now(machine(m[1] ?? "", "service-resume"));
  if ((m = /^partition ((?:\d|,|qnetd)+(?: \| (?:\d|,|qnetd)+)+)$/.exec(title))) {
    return now(fabric({ kind: "partition", groups: (m[1] ?? "").split(" | ").map(groupOf) }));
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
  if ((m = /^delay (?:([\d]+) ms|off)$/.exec(title))) {
    // The recorder put a relay between node3's interface and the bridge; while one took another's place nothing passed (measured: 0.1 to 0.2 s).
    const link = { node: "node3", net: "link0", direction: "both" } as const;
    const delayed = fabric({ kind: "link-set", link, settings: { delayUs: Number(m[1] ?? 0) * 1000 } });
    return [
      ...now(fabric({ kind: "link-cut", link })),
      ...[fabric({ kind: "link-heal", link }), delayed].map((act) => ({ after: RELAY_STARTS[release], act })),
    ];
  }
  if (title === "heal" || title === "heal both" || title === "carrier back") return now(fabric({ kind: "heal" }));
  // The file is edited and the tool called, or only asked; see edits.ts and the step's commands.
  if (/-R on node\d$|by reload$|, -R$/.test(title) || /^(new file only on node1|same file everywhere again)/.test(title)) return [];
  if (/^(quorumtool -m runs on node1; corosync-cfgtool -k 3 on node1|monitor output and other tool calls|effective values)$/.test(title))
    return [];
  if (/^(try quorumtool -e 1|cancel wait_for_all by cmap|after the (last_man_standing_)?window)$/.test(title)) return [];
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

/** The monitor the recorder left running, with its output in a file. */
const MONITOR = "monitor";
const MONITOR_FILE = "/var/log/corosync/monitor.out";

function write(world: World, node: string, path: string, text: string): void {
  must(world.act({ to: "machine", machine: node, act: { kind: "file-mkdir", path: path.replace(/\/[^/]*$/, ""), parents: true } }));
  must(world.act({ to: "machine", machine: node, act: { kind: "file-write", path, data: utf8(text), append: false } }));
}

function edit(world: World, e: Edit): void {
  for (const node of e.nodes) write(world, node, "/etc/corosync/corosync.conf", e.text);
}

const micros = (second: number): Instant => BOOTED + Math.round(second * SEC);

function late(recording: Recording, step: RecordedStep): number | undefined {
  const first = FIRST_START_LATE[recording.scenario];
  return first === undefined ? undefined : step.step === 1 ? first : 0;
}

/** All daemons that run are on one ring together, and synchronised. */
function oneRing(world: World): boolean {
  const rings = world.statuses().flatMap(({ corosync: c }) => (c === null ? [] : [c.syncing || c.state !== "operational" ? "" : c.ringId]));
  return !rings.includes("") && new Set(rings).size === 1;
}

/** After a start the recorder asked a second after one ring had formed; a daemon whose pings fall otherwise is waited for likewise, before the next step. */
function awaitRing(world: World, step: RecordedStep, recording: Recording): boolean {
  const next = recording.steps.find((s) => s.step > step.step);
  const limit = next === undefined ? world.now + 5 * SEC : micros(next.t_start);
  let late = false;
  for (; !oneRing(world) && world.now < limit; late = true) world.runUntil(Math.min(world.now + SEC / 20, limit));
  if (late) world.runUntil(Math.min(world.now + SEC, limit));
  return late;
}

/** What about a step is done at another instant than the recording says. */
function adjustments(step: RecordedStep, acts: readonly Timed[], edits: readonly Edit[], late: number | undefined): ExclusionName[] {
  const out: ExclusionName[] = [];
  if (step.title.startsWith("delay")) out.push("relay-instant");
  if (edits.some((e) => e.at !== undefined)) out.push("edit-instant");
  if (late !== undefined && late > 0) out.push("wake-instant");
  const starts = acts.filter(({ act }) => act.to === "machine" && act.act.kind === "service" && act.act.op === "start");
  const device = starts.some(({ act }) => act.to === "machine" && act.act.kind === "service" && act.act.unit === "corosync-qdevice");
  if (device) out.push("device-instant");
  else if (starts.length > 1 && late === undefined) out.push("launch-instant");
  return out;
}

/** Plays the whole recording with one seed; `also`: acts after so many µs of the scenario that nobody recorded. */
export async function play(recording: Recording, seed: string, also: readonly Timed[] = []): Promise<Played> {
  const config = String(recording.config);
  const { links } = count(config);
  // A machine may be there before the nodelist has it.
  const nodesOf = (step: RecordedStep): number => Object.keys(step.outputs).filter((name) => name.startsWith("node")).length;
  const machines = Math.max(...recording.steps.map(nodesOf), count(config).nodes);
  const world = new World(labOf(config, seed, recording.release, machines), makeMachine, makeMachine, false);
  const monitor = { text: "" };
  const rng = Rng.from(seed, "conformance");
  const traces: Traced[] = [];
  const journal: Played["journal"] = [];
  world.watch({
    effect: (at, number, effect) => {
      const node = world.names[number] ?? "";
      if (effect.kind === "trace") traces.push({ at: at - BOOTED, node, event: effect.event });
      if (effect.kind === "output" && effect.id === MONITOR) monitor.text += effect.text;
      if (effect.kind === "journal" && effect.line.unit === "corosync")
        journal.push({ node, line: effect.line, second: (at - BOOTED) / SEC });
    },
  });
  for (const { after, act } of also) must(world.schedule(BOOTED + after, act));
  const steps: PlayedStep[] = [];
  const begins: number[] = [];
  const pauses: Played["pauses"] = [];
  const adjusted: ExclusionName[] = [];
  for (const step of recording.steps) {
    world.runUntil(micros(step.t_start));
    begins.push(step.t_start);
    const edits = editsOf(recording.scenario, config, step);
    for (const e of edits) if (e.at === undefined) edit(world, e);
    const acts = actsOf(step, recording.release, links, rng, late(recording, step));
    adjusted.push(...adjustments(step, acts, edits, late(recording, step)));
    for (const timed of acts) {
      notePause(pauses, timed, step.t_start + timed.after / SEC);
      if (timed.after === 0) must(world.act(timed.act));
      else must(world.schedule(world.now + timed.after, timed.act));
    }
    if (step.title.startsWith("quorumtool -m runs on node1")) {
      must(
        world.act({
          to: "machine",
          machine: "node1",
          act: { kind: "command", id: MONITOR, argv: ["corosync-quorumtool", "-m"], cwd: "/root", stdin: "" },
        }),
      );
    }
    const answers: Answer[] = [];
    for (const e of edits) {
      if (e.at === undefined) continue;
      world.runUntil(micros(e.at));
      edit(world, e);
    }
    for (const c of [...step.commands].sort((a, b) => a.t - b.t)) {
      world.runUntil(Math.max(world.now, micros(c.t)));
      if (c.cmd === `cat ${MONITOR_FILE}`) write(world, `node${c.node}`, MONITOR_FILE, monitor.text);
      answers.push(await answer(world, `node${c.node}`, c.cmd));
    }
    world.runUntil(Math.max(world.now, micros(step.t_snapshot)));
    if (step.title.startsWith("start") && typeof step.waited_s === "number" && awaitRing(world, step, recording))
      adjusted.push("ask-instant");
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
  return { steps, traces, journal, begins, pauses, adjusted, world };
}

function notePause(pauses: Played["pauses"], { act }: Timed, second: number): void {
  if (act.to !== "machine") return;
  if (act.act.kind === "service-stall") pauses.push({ node: act.machine, from: second, until: Infinity });
  const open = pauses.find((p) => p.node === act.machine && p.until === Infinity);
  if (act.act.kind === "service-resume" && open !== undefined) open.until = second;
}

function must(result: { ok: boolean; message?: string }): void {
  if (!result.ok) throw new Error(result.message ?? "act refused");
}
