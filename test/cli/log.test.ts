/** The log of a lab's process: what stands in it, that it stays small, and that it takes nobody else's lines away. */
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readLock } from "../../src/main/lab/store/lock.ts";
import { LOG_FILE_MAX_BYTES, logLevel, openLog } from "../../src/main/lab/store/log.ts";
import { newPlace, type Place } from "./quorate.ts";

interface Line {
  level: string;
  msg: string;
  err?: { stack: string };
}

const parse = (text: string): Line[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

describe("the file", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "quorate-log-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const newest = (): string => join(dir, "supervisor.log");
  const older = (): string => join(dir, "supervisor.log.1");

  it("has one JSON object a line, with level, time, process and, of an error, where it came from", () => {
    const log = openLog(dir, "info");
    log.debug("not said");
    log.info("said");
    log.unexpected(new Error("broken"), "a request failed");
    log.close();
    const [said, failed, ...rest] = parse(readFileSync(newest(), "utf8"));
    expect(said).toMatchObject({ level: "info", msg: "said", pid: process.pid, time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) });
    expect(failed?.err?.stack).toContain("log.test.ts");
    expect(rest).toEqual([]);
    expect(statSync(newest()).mode & 0o777).toBe(0o600);
  });

  it("is never larger than its bound, and keeps as much again", () => {
    const log = openLog(dir, "info", 10_000);
    for (let n = 0; n < 1000; n++) {
      log.info(`line ${n}`);
      if (n % 50 === 0) expect(statSync(newest()).size).toBeLessThanOrEqual(10_000);
    }
    log.close();
    expect(readdirSync(dir).sort()).toEqual(["supervisor.log", "supervisor.log.1"]);
    expect(statSync(older()).size).toBeLessThanOrEqual(10_000);
    const kept = [...parse(readFileSync(older(), "utf8")), ...parse(readFileSync(newest(), "utf8"))].map(({ msg }) => msg);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => `line ${1000 - kept.length + at}`));
    expect(kept.length).toBeGreaterThan(100);
  });

  it("that grew too large by others is made small at the start, and theirs go on into it", () => {
    const others = openSync(newest(), "a");
    writeSync(others, "x".repeat(LOG_FILE_MAX_BYTES + 1));
    const log = openLog(dir, "info");
    expect(statSync(newest()).size).toBe(0);
    writeSync(others, "printed by a process\n");
    log.info("ours");
    closeSync(others);
    log.close();
    const [theirs, ours] = readFileSync(newest(), "utf8").split("\n");
    expect([theirs, (JSON.parse(ours ?? "") as Line).msg]).toEqual(["printed by a process", "ours"]);
  });

  it("that cannot be written stops nobody; one that cannot be opened is said in one line", () => {
    symlinkSync("/dev/full", newest());
    const log = openLog(dir, "info");
    expect(() => log.info("lost")).not.toThrow();
    log.close();
    expect(() => openLog(join(dir, "nowhere"), "info")).toThrow(/^open .*: no such file or directory$/);
  });

  it("has the level that the environment asks for", () => {
    expect([logLevel({}), logLevel({ QUORATE_LOG_LEVEL: "debug" }), logLevel({ QUORATE_LOG_LEVEL: "loud" })]).toEqual([
      "info",
      "debug",
      "info",
    ]);
  });
});

describe("the log of a lab that runs", () => {
  let place: Place;
  beforeAll(() => {
    place = newPlace();
  });
  afterAll(() => place.end());

  /** A client's first line; resolves when the lab has hung up. */
  const say = (line: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(readLock(place.lab)?.socket ?? "");
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.resume();
      socket.write(`${line}\n`);
    });

  it("tells start, lost processes, refused messages and end, and doctor tells where it is", async () => {
    await place.ok("up", "--nodes", "1", "--speed", "10");
    await say('{"id":1,"request":{"op":"hello","secret":"wrong"}}');
    await say('{"id":1,"request":{"op":"nonsense"}}');
    const { workers } = JSON.parse(await place.ok("up", "--json")) as { workers: Record<string, number> };
    process.kill(workers["pve1"] ?? 0, "SIGKILL");
    const path = join(place.lab, "supervisor.log");
    await expect.poll(() => readFileSync(path, "utf8"), { timeout: 10_000 }).toContain("the process of pve1");
    expect(await place.ok("doctor")).toContain(`ok       log: ${path}, `);
    await place.ok("down");
    expect(parse(readFileSync(path, "utf8")).map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      expect.stringMatching(/^info started: 1 node, workers, version \S+, engine \S+, instant \d+$/),
      "warn a client was refused: its secret is not this lab's",
      expect.stringMatching(/^warn malformed request: request\.op: /),
      expect.stringMatching(/^warn the process of pve1 .*; to the others pve1 has lost its power$/),
      "info ended with status 0: the lab was taken down",
    ]);
  });
});
