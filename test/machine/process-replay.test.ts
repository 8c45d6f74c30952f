/**
 * 300 random schedules of what can happen to processes, each run twice: once through, and once with the machine laid down and taken up again, in a new object and through a copy of plain data, at
 * every 20th event. Both have said the same and have the same digest after every event.
 */
import { expect, test } from "vitest";
import { Rng, SIGNAL_NAMES } from "../../src/engine/kernel/index.ts";
import { ToolProgram } from "../../src/engine/command/tool-program.ts";
import {
  call,
  contents,
  nextNotice,
  connect,
  print,
  readLine,
  request,
  run,
  sleep,
  type Tool,
  type ToolBody,
} from "../../src/engine/command/tool.ts";
import { probe } from "./probes.ts";
import { SmallMachine } from "./small-machine.ts";

const SCHEDULES = 300;
const EVENTS = 60;
const EVERY = 20;

function* walk(): ToolBody {
  yield* print("asks\n");
  yield* print(`${JSON.stringify(yield* call("cmap", { call: "later" }))}\n`);
  const connection = yield* connect("cmap");
  if (connection !== "refused") {
    yield* request(connection, { call: "tell", times: 2 });
    for (let n = 0; n < 2; n++) yield* print(`${JSON.stringify(yield* nextNotice(connection))}\n`);
  }
  yield* sleep(300_000);
  yield* print(`${JSON.stringify(yield* run(["ender", "4", "1000"]))}\n`);
  const read = yield* contents("/etc/motd");
  yield* print(`${read.ok && read.value === "data" ? new TextDecoder().decode(read.data) : "none"}\n`);
  yield* print(`${(yield* readLine("line? ")) ?? "end"}\n`);
  return 5;
}

const walker: Tool = { name: "walker", summary: "", options: [], body: walk };

const machine = (): SmallMachine =>
  new SmallMachine((argv) => (argv[0] === "walker" ? (os) => new ToolProgram(walker, os) : probe(argv)), {
    "/etc/motd": "a text that takes more than one read",
  });

const SPAWNS: readonly (readonly string[])[] = [
  ["ticker", "70000"],
  ["catcher", "SIGTERM", "SIGHUP", "SIGCONT"],
  ["listener", "1"],
  ["batcher", "2"],
  ["parent", "ender", "3", "90000"],
  ["parent", "parent", "ticker", "50000"],
  ["daemon"],
  ["server", "cmap"],
  ["server", "cmap"],
  ["asker", "cmap", "echo", "later", "tell"],
  ["asker", "cmap", "die"],
  ["asker", "cmap", "stop"],
  ["walker"],
  ["walker"],
];

let commands = 0;

/** One event, the same for equal generators and equal machines. */
function happen(m: SmallMachine, rng: Rng, n: number): void {
  const pids = m.table.records().map((r) => r.pid);
  const what = rng.below(14);
  if (m.runtime.table.isStalled && what !== 0 && what !== 5) m.runtime.resume();
  if (what === 0) m.wait(rng.between(1, 400_000));
  else if (what <= 3) {
    const pid = m.table.spawn({
      argv: rng.pick(SPAWNS),
      parent: 1,
      place: { unit: "u", session: "", tty: "" },
      sink: { kind: "command", id: `c${n}` },
      command: `c${n}`,
    });
    m.said.push(`spawned ${pid}`);
  } else if (what === 4) m.runtime.stall();
  else if (what === 5) m.runtime.receive(m.datagram(rng.between(1, 3), `d${n}`));
  else if (what <= 8) m.signal(rng.pick(pids), rng.pick([...SIGNAL_NAMES, "SIGSTOP", "SIGSTOP", "SIGCONT", "SIGCONT", "SIGCONT"]));
  else if (what === 12) fork(m, rng, n);
  else if (what === 13)
    m.act({
      kind: "session-kill",
      session: `s${rng.below(3)}`,
      id: `k${n}`,
      pid: rng.pick([-1, 0, ...pids, ...pids.map((pid) => -pid)]),
      signal: rng.pick(SIGNAL_NAMES),
    });
  else if (what === 9) m.act({ kind: "session-open", session: `s${rng.below(3)}`, terminal: rng.below(2) === 0, cwd: "/root" });
  else if (what === 10) {
    const session = `s${rng.below(3)}`;
    if (rng.below(4) === 0) m.act({ kind: "session-close", session });
    else m.act({ kind: "session-run", session, id: `r${n}`, argv: rng.pick(SPAWNS), cwd: "/" });
  } else m.runtime.inputCommand(`c${rng.below(n + 1)}`, rng.below(3) === 0 ? undefined : `line ${n}`);
}

/** What the interpreter of a shell has carried out by processes that it forks. */
function fork(m: SmallMachine, rng: Rng, n: number): void {
  const session = `s${rng.below(3)}`;
  const forks = m.table.records().flatMap((r) => (r.outside && r.place.session === session ? [r.command ?? ""] : []));
  const [first] = forks;
  const parent = first === undefined ? {} : { parent: rng.pick(forks) };
  const what = first === undefined ? 0 : rng.below(5);
  if (what <= 1) m.act({ kind: "session-fork", session, id: `f${n}`, ...parent, group: rng.below(2) === 0 });
  else if (what === 2) m.act({ kind: "session-exec", session, id: rng.pick(forks), argv: ["tail", "-f"] });
  else if (what === 3) m.act({ kind: "session-exit", session, id: rng.pick(forks), status: rng.below(256) });
  else {
    const id = rng.pick(forks);
    m.act({ kind: "session-run", session, id, process: id, argv: rng.pick(SPAWNS), cwd: "/" });
  }
}

/** What was said and the digest, after every event. */
function play(seed: number, every: number | undefined): string[] {
  let m = machine();
  const rng = Rng.from("processes", String(seed));
  const trail: string[] = [];
  for (let n = 0; n < EVENTS; n++) {
    if (every !== undefined && n % every === every - 1) {
      const laid = structuredClone(m.snapshot());
      m = machine();
      m.restore(laid);
      commands++;
    }
    happen(m, rng, n);
    trail.push(...m.heard(), m.digest());
  }
  return trail;
}

test(`${SCHEDULES} random schedules say the same from snapshots at every ${EVERY}th event`, () => {
  let lines = 0;
  for (let seed = 0; seed < SCHEDULES; seed++) {
    const straight = play(seed, undefined);
    expect(play(seed, EVERY), `schedule ${seed}`).toEqual(straight);
    lines += straight.length - EVENTS;
  }
  expect(commands).toBe(SCHEDULES * (EVENTS / EVERY));
  expect(lines).toBeGreaterThan(SCHEDULES * 20);
});

test("a snapshot after every single event is the same, too", () => {
  for (let seed = 1000; seed < 1020; seed++) expect(play(seed, 1), `schedule ${seed}`).toEqual(play(seed, undefined));
});
