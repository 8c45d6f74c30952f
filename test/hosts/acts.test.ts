/**
 * One schema for an act at every rim: what the API takes, the wire to a worker takes and gives back as it is, and so does the record, whose replay is the same run; what one of them
 * would not take, the first refuses in one clear line.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pack, unpackAsk, type Ask } from "../../src/engine/host/wire.ts";
import { troubleWith } from "../../src/engine/kernel/check.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { isWorldAct } from "../../src/engine/world/act-shapes.ts";
import { parseRecord, printRecord, replay, World, type Input, type WorldAct } from "../../src/engine/world/index.ts";
import type { Channel } from "../../src/main/lab/api.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { Server } from "../../src/main/lab/process/server/server.ts";
import { Sessions } from "../../src/main/lab/process/sessions.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { openLog } from "../../src/main/lab/store/log.ts";
import { testDisks } from "../cli/node-disks.ts";
import { fromCheck, requestsOf } from "./requests.ts";

/** Requests that come to acts, or to questions that a machine answers; those for whole labs and processes of the host are left out. */
const OPS = [
  "act",
  "acts",
  "act-check",
  "undo",
  "file",
  "command",
  "command-signal",
  "command-input",
  "shell",
  "look",
  "query",
  "status",
  "log",
  "step",
];

const file = defaultLabFile({ nodes: 2, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
const design = worldDesign(file);

/** As a worker gets it. */
function overWire(act: unknown): unknown {
  const ask = {
    ...{ ask: "stretch", sequence: 1, from: 0, until: 1, events: 1, states: [], verified: 0, confirmed: 0 },
    inputs: [{ at: 1, act }],
  } as unknown as Ask;
  const got = unpackAsk(pack(ask));
  if (got?.ask !== "stretch") return undefined;
  const [input] = got.inputs;
  return input !== undefined && "act" in input ? input.act : undefined;
}

/** As a replay gets it. */
function overRecord(inputs: readonly Input[]): readonly Input[] {
  const read = parseRecord(printRecord({ lab: "", inputs: [...inputs], checkpoints: [], end: undefined }));
  if (!read.ok) throw new Error(`line ${read.line}: ${read.message}`);
  return read.record.inputs;
}

describe("acts of every kind", () => {
  test("go over the wire and through the record as they are, or are refused by both", () => {
    fc.assert(
      fc.property(fromCheck(isWorldAct), (made) => {
        const act = made as WorldAct;
        if (!isWorldAct(made)) {
          expect(troubleWith(made, isWorldAct)).toMatch(/^[^\n]+$/);
          // JSON makes something else of some numbers; what is read is an act all the same.
          let read: unknown;
          try {
            read = overRecord([{ at: 1, act }])[0]?.act;
          } catch (error) {
            expect(String(error)).toMatch(/line 2: [^\n]+$/);
          }
          expect(read === undefined || isWorldAct(read)).toBe(true);
          return;
        }
        expect(overRecord([{ at: 1, act }])).toEqual([{ at: 1, act }]);
        if (act.to === "machine") expect(overWire(act.act)).toEqual(act.act);
      }),
      { numRuns: 3000, seed: 9 },
    );
  });

  test("are refused by a world where they are none, before anything is recorded", () => {
    const world = new World(design, makeNode);
    for (const [act, where] of [
      [{ kind: "file-write", path: "/x", data: new Uint8Array(1), append: false, mode: 1.5 }, "act.mode: a whole number from 0 to 65535"],
      [{ kind: "file-touch", path: "/tmp/\ud800" }, "act.path: well-formed text"],
      [{ kind: "rm-rf" }, 'act.kind: "rm-rf" is none; there are: power-on'],
      [{ kind: "session-open", session: "1", terminal: true }, "act.cwd: is missing"],
    ] as const) {
      const result = world.act({ to: "machine", machine: "pve1", act } as unknown as WorldAct);
      expect(result).toMatchObject({ ok: false, code: "bad-act" });
      expect(result.ok ? "" : result.message).toContain(where);
    }
    expect(world.inputs()).toEqual([]);
  });
});

describe("a lab whose clients ask for anything", () => {
  let dir: string;
  let lab: Lab;
  let server: Server;
  let log: ReturnType<typeof openLog>;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "quorate-acts-"));
    const world = new World(design, makeNode);
    beginLab(world, file);
    const disks = testDisks();
    lab = new Lab(
      inProcess(world, disks, { speed: 1, paused: true }, () => lab.faults),
      { dir, file, text: printLabFile(file), version: "test", disk: new LabDisk(dir), disks },
    );
    log = openLog(dir);
    const nobody = { info: () => Promise.reject(new Error("nobody asks")), serve: () => Promise.reject(new Error("no page here")) };
    const around = {
      ...nobody,
      labs: () => Promise.resolve([]),
      freeze: () => Promise.resolve(),
      end: () => undefined,
      lost: () => undefined,
      log,
    };
    server = new Server(lab, new Sessions(join(dir, "s"), "inside", dir, "run"), "secret", around);
  });

  afterEach(async () => {
    server.end("over");
    log.close();
    await lab.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A client in this process. `ask` resolves with the reply. */
  function client(): { ask: (request: unknown) => Promise<{ ok: boolean; error?: { message: string } }> } {
    let hear: (message: unknown) => void = () => undefined;
    const waiting = new Map<number, (reply: never) => void>();
    const channel: Channel = {
      send: (message) => {
        const reply = JSON.parse(JSON.stringify(message)) as { id?: number };
        if (reply.id !== undefined) waiting.get(reply.id)?.(reply as never);
      },
      onMessage: (handler) => (hear = handler),
      onClose: () => undefined,
      close: () => undefined,
    };
    server.accept(channel, true);
    let next = 1;
    return {
      ask: (request) => {
        const id = next++;
        return new Promise((done) => {
          waiting.set(id, done);
          hear(JSON.parse(JSON.stringify({ id, request })));
        });
      },
    };
  }

  test("answers each in one line, and what it took is the same on every wire and in the replay of its record", async () => {
    const { ask } = client();
    const count = Number(process.env["QUORATE_REQUESTS"] ?? 1500);
    let taken = 0;
    const strange: string[] = [];
    for (const request of fc.sample(requestsOf(OPS), { numRuns: count, seed: 7 })) {
      const before = lab.world.inputs().length;
      const reply = await ask(request);
      if (reply.ok) taken++;
      else if (/internal error|\n/.test(reply.error?.message ?? "")) strange.push(`${JSON.stringify(request)}: ${reply.error?.message}`);
      for (const { act } of lab.world.inputs().slice(before)) if (act.to === "machine") expect(overWire(act.act)).toEqual(act.act);
      if (lab.world.now > 600 * SEC) break;
    }
    expect(strange).toEqual([]);
    expect(taken).toBeGreaterThan(count / 10);
    const read = parseRecord(lab.record());
    if (!read.ok) throw new Error(`${read.line}: ${read.message}`);
    expect(replay(design, makeNode, read.record)).toMatchObject({ equal: true, firstDifference: undefined });
  });

  test("says what it refuses, where and what is allowed", async () => {
    const { ask } = client();
    const write = { kind: "file-write", path: "/x", data: "", append: false };
    const open = { kind: "session-open", session: "1", terminal: true, cwd: "/" };
    for (const [request, message] of [
      [{ op: "file", node: "pve1", act: { ...write, mode: 1.5 } }, "request.act: mode: a whole number from 0 to 65535 is allowed"],
      [{ op: "file", node: "pve1", act: { ...write, mode: 2 ** 53 } }, "request.act: mode: a whole number from 0 to 65535 is allowed"],
      [{ op: "file", node: "pve1", act: { ...write, path: "/tmp/\ud800" } }, "request.act: path: well-formed text"],
      [{ op: "file", node: "pve1", act: { ...write, data: "?" } }, "request.act: data: base64"],
      [{ op: "shell", node: "pve1", act: { kind: "power-cut" } }, 'request.act: kind: "power-cut" is none; there are: session-open'],
      [{ op: "shell", node: "pve1", act: { ...open, cwd: "\udfff" } }, "request.act: cwd: well-formed text"],
      [{ op: "shell", node: "pve1", act: { ...open, more: 1 } }, 'request.act: unknown key "more"'],
      [{ op: "look", node: "pve1", calls: [{ call: "format" }] }, 'request.calls.0: call: "format" is none; there are: stat'],
      [{ op: "command", node: "pve1", argv: ["ls", "\ud800"], cwd: "/", stdin: "" }, "request.argv.1: well-formed text"],
      [{ op: "exec", node: "\ud800", line: "true" }, "request.node: well-formed text"],
      [{ op: "sleep", node: "pve1", duration: 1.5 }, "request.duration: "],
    ] as const) {
      const reply = await ask(request);
      expect(reply).toMatchObject({ ok: false });
      expect(reply.error?.message).toContain(`malformed request: ${message}`);
      expect(reply.error?.message).not.toContain("\n");
    }
    expect(lab.world.inputs().filter(({ at }) => at === lab.world.now)).toEqual([]);
  });
});
