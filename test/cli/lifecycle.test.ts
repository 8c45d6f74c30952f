// A lab whose nodes are processes: up and down again at the same instant, cold, several at once; processes that are killed or fall silent; a
// supervisor that is killed. Whatever happens, nothing stays behind: no process, no socket, no file.
import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { connectLab } from "../../src/main/lab/process/client.ts";
import { readLock } from "../../src/main/lab/store/lock.ts";
import { alive, newPlace, type Place } from "./quorate.ts";

/** A hundred times up and down, twenty supervisors killed, in the long run. */
const LONG = process.env["QUORATE_LONG"] === "1";
const CYCLES = LONG ? 100 : 2;
const KILLS = LONG ? 20 : 2;
/** The processes of a supervisor that was killed are gone within. */
const GONE_WITHIN_MS = 2_000;

const places: Place[] = [];

function place(): Place {
  const made = newPlace();
  places.push(made);
  return made;
}

afterEach(async () => {
  for (const one of places.splice(0)) await one.end();
});

interface Info {
  pid: number;
  instant: number;
  host: string;
  workers: Record<string, number>;
}

interface Status {
  instant: number;
  nodes: { name: string; power: string; worker: string; corosync: { members: number[] } | null; quorum: { quorate: boolean } | null }[];
}

async function info(at: Place): Promise<Info> {
  return JSON.parse(await at.ok("up", "--json")) as Info;
}

async function status(at: Place): Promise<Status> {
  return JSON.parse(await at.ok("status", "--json")) as Status;
}

async function nodeOf(at: Place, name: string): Promise<Status["nodes"][number]> {
  const found = (await status(at)).nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

async function until(holds: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (await holds()) return true;
    await new Promise((done) => setTimeout(done, 20));
  }
  return holds();
}

/** What lies in the runtime folder. */
function sockets(at: Place): string[] {
  const dir = join(at.dir, "quorate");
  return existsSync(dir) ? readdirSync(dir, { recursive: true }).map(String).sort() : [];
}

const labFiles = (at: Place): string[] => readdirSync(at.lab).sort();

describe("a lab of processes", () => {
  test("every node is a process of its own, unless asked otherwise", async () => {
    const [many, one] = [place(), place()];
    await many.ok("up", "--nodes", "3", "--clustered");
    await one.ok("up", "--nodes", "3", "--clustered", "--host", "inprocess");
    const [a, b] = [await info(many), await info(one)];
    expect([a.host, Object.keys(a.workers)]).toEqual(["workers", ["pve1", "pve2", "pve3"]]);
    expect(new Set([a.pid, ...Object.values(a.workers)]).size).toBe(4);
    expect([b.host, b.workers]).toEqual(["inprocess", {}]);
    // They run side by side and do not meet.
    await many.ok("node", "kill", "pve1");
    expect((await nodeOf(one, "pve1")).power).toBe("on");
    expect((await nodeOf(many, "pve1")).power).toBe("off");
    // A power cut is the end of the process.
    expect(Object.keys((await info(many)).workers)).toEqual(["pve2", "pve3"]);
    expect(alive(a.workers["pve1"] ?? 0)).toBe(false);
  }, 120_000);

  test(
    `${CYCLES} times down and up again: at the same instant, and nothing stays behind`,
    async () => {
      const at = place();
      await at.ok("up", "--nodes", "3", "--clustered");
      let before: string[] | undefined;
      for (let i = 0; i < CYCLES; i++) {
        const { pid, workers } = await info(at);
        await at.ok("pause");
        const { instant } = await status(at);
        await at.ok("down");
        expect(await until(() => ![pid, ...Object.values(workers)].some(alive), GONE_WITHIN_MS)).toBe(true);
        expect(sockets(at)).toEqual([]);
        expect(existsSync(join(at.lab, "running.json"))).toBe(false);
        before ??= labFiles(at);
        expect(labFiles(at)).toEqual(before);
        await at.ok("up");
        const now = await status(at);
        expect([i, now.instant]).toEqual([i, instant]);
        expect(now.nodes.every((node) => node.quorum?.quorate === true)).toBe(true);
        await at.ok("resume");
      }
      await at.ok("wait", "--members", "3", "--idle");
    },
    60_000 + CYCLES * 20_000,
  );

  test("up --cold powers every node on from its disk", async () => {
    const at = place();
    await at.ok("up", "--nodes", "3", "--clustered");
    await at.ok("exec", "pve2", "echo kept > /root/note");
    await at.ok("down");
    const again = await at.run(["up", "--cold"]);
    expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("every node powers on from its disk")]);
    await at.ok("wait", "--members", "3");
    expect(await at.ok("exec", "pve2", "cat /root/note")).toBe("kept\n");
    expect(await at.ok("exec", "pve2", "journalctl -u corosync | grep -c 'starting up'")).toBe("2\n");
  }, 120_000);
});

describe("a process that is lost", () => {
  const lose = async (at: Place, signal: "SIGKILL" | "SIGSTOP", within: number): Promise<void> => {
    const { workers } = await info(at);
    process.kill(workers["pve3"] ?? 0, signal);
    expect(await until(async () => (await nodeOf(at, "pve3")).worker === "lost", within)).toBe(true);
    expect(await until(() => !alive(workers["pve3"] ?? 0), 1000)).toBe(true);
    expect((await nodeOf(at, "pve3")).power).toBe("off");
  };

  test("is told, the others go on, and the machine is switched on again", async () => {
    const at = place();
    await at.ok("up", "--nodes", "3", "--clustered");
    await lose(at, "SIGKILL", 2_000);
    await at.ok("wait", "--members", "2", "--quorate", "--node", "pve1", "--node", "pve2");
    await at.ok("node", "start", "pve3");
    await at.ok("wait", "--members", "3", "--quorate");
    expect((await nodeOf(at, "pve3")).worker).toBe("alive");
    await at.ok("record", "--out", join(at.dir, "record"));
    await at.ok("replay", join(at.dir, "record"), "--check");
  }, 120_000);

  test("that falls silent is given up within five seconds, and the lab can be taken back to before", async () => {
    const at = place();
    await at.ok("up", "--nodes", "3", "--clustered");
    await lose(at, "SIGSTOP", 8_000);
    await at.ok("rollback", "before-the-loss-of-pve3");
    const { nodes } = await status(at);
    expect(nodes.map(({ power, worker, corosync }) => [power, worker, corosync?.members.length])).toEqual(
      nodes.map(() => ["on", "alive", 3]),
    );
    expect(Object.keys((await info(at)).workers)).toEqual(["pve1", "pve2", "pve3"]);
    await at.ok("record", "--out", join(at.dir, "record"));
    await at.ok("replay", join(at.dir, "record"), "--check");
  }, 120_000);
});

describe("a supervisor that is killed", () => {
  test(
    `${KILLS} times: its processes are gone within two seconds, the next start is clean and cold`,
    async () => {
      const at = place();
      await at.ok("up", "--nodes", "3", "--clustered");
      for (let i = 0; i < KILLS; i++) {
        const { pid, workers } = await info(at);
        process.kill(pid, "SIGKILL");
        expect(await until(() => ![pid, ...Object.values(workers)].some(alive), GONE_WITHIN_MS)).toBe(true);
        const again = await at.run(["up"]);
        expect([again.status, again.stderr]).toEqual([0, expect.stringContaining("every node powers on from its disk")]);
        // The lab's own socket, and the one to its processes.
        expect(sockets(at).filter((name) => name.endsWith("sock"))).toHaveLength(2);
        await at.ok("wait", "--members", "3", "--quorate");
      }
      await at.ok("down");
      expect(sockets(at)).toEqual([]);
    },
    60_000 + KILLS * 40_000,
  );
});

describe("a lab that is taken down", () => {
  test.each(["inprocess", "workers"])("takes nothing more, on any connection, and keeps all that it took (%s)", async (host) => {
    const at = place();
    await at.ok("up", "--nodes", "2", "--host", host);
    const [one, other] = [await connectLab(at.lab), await connectLab(at.lab)];
    const write = (n: number): Promise<string> =>
      (n % 2 === 0 ? one : other)
        .call({
          op: "file",
          node: "pve1",
          act: { kind: "file-write", path: `/root/${n}`, data: Buffer.from(`${n}`).toString("base64"), append: false },
        })
        .then(
          () => `wrote ${n}`,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
    const before = [1, 2, 3, 4].map(write);
    const down = one.call({ op: "down" });
    const after = [5, 6, 7, 8, 9, 10].map(write);
    // More of them while it ends.
    const late: Promise<string>[] = [];
    const more = setInterval(() => late.push(write(100 + late.length)), 1);
    const said = [...(await Promise.all(before)), ...(await Promise.all(after))];
    await down;
    await Promise.all([one.closed, other.closed]);
    clearInterval(more);
    said.push(...(await Promise.all(late)));
    expect(await until(() => readLock(at.lab) === undefined, 10_000)).toBe(true);
    const wrote = said.flatMap((text) => /^wrote (\d+)$/.exec(text)?.[1] ?? []);
    for (const text of said) expect(text).toMatch(/^wrote \d+$|going down|taken down|is gone/);
    // What was asked before on the connection that takes it down; another connection's may come later than that.
    expect(wrote).toEqual(expect.arrayContaining(["2", "4"]));
    // What came after it on that connection is not taken: it is refused, or finds the lab gone.
    for (const n of ["6", "8", "10"]) expect(wrote).not.toContain(n);
    const recorded = [...readFileSync(join(at.lab, "record.jsonl"), "utf8").matchAll(/"path":"\/root\/(\d+)"/g)].map((m) => m[1]);
    expect(recorded.sort()).toEqual([...wrote].sort());
    expect(await at.run(["replay", join(at.lab, "record.jsonl"), "--check"])).toMatchObject({ status: 0 });
    await at.ok("up", "--host", host);
    expect(
      (await at.ok("exec", "pve1", "ls", "/root"))
        .split("\n")
        .filter((name) => name !== "")
        .sort(),
    ).toEqual([...wrote].sort());
  });
});

describe("a lab that nobody waits for any more", () => {
  test("does not start: its process ends, and gives the directory back", async () => {
    const at = place();
    const child = at.begin(["up", "--nodes", "3", "--clustered"]);
    expect(await until(() => readLock(at.lab) !== undefined, 60_000)).toBe(true);
    const pid = readLock(at.lab)?.pid ?? 0;
    child.kill("SIGKILL");
    expect(await until(() => !alive(pid) && readLock(at.lab) === undefined, 60_000)).toBe(true);
    await at.ok("up");
  });
});

test("a lock whose process is gone is nobody's, although a stranger has its number by now", async () => {
  const at = place();
  await at.ok("up", "--nodes", "1", "--host", "inprocess");
  const { pid } = await info(at);
  process.kill(pid, "SIGKILL");
  expect(await until(() => !alive(pid), 5000)).toBe(true);
  const file = join(at.lab, "running.json");
  // Another lab's supervisor, for all that its name tells.
  const stranger = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)", "supervisor"], { stdio: "ignore" });
  try {
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, "utf8")) as object), pid: stranger.pid }));
    expect((await at.run(["status"])).stderr).toMatch(/was killed; "quorate up" powers the lab on from disk\n$/);
    await at.ok("up", "--host", "inprocess");
    await at.ok("rm", "--yes");
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
  } finally {
    stranger.kill("SIGKILL");
  }
});

describe("a lab whose directory is its own no longer", () => {
  test.each([
    ["was deleted", (at: Place) => rmSync(at.lab, { recursive: true })],
    ["was moved away", (at: Place) => renameSync(at.lab, `${at.lab}-moved`)],
    [
      "is another one of the same name",
      (at: Place) => {
        cpSync(at.lab, `${at.lab}-copy`, { recursive: true });
        rmSync(at.lab, { recursive: true });
        renameSync(`${at.lab}-copy`, at.lab);
      },
    ],
    ["is locked by nobody", (at: Place) => rmSync(join(at.lab, "running.json"))],
  ])("ends when it %s, says so, and writes nothing there", async (_how, happens) => {
    const at = place();
    await at.ok("up", "--nodes", "1", "--host", "inprocess");
    const { pid } = await info(at);
    const client = await connectLab(at.lab);
    happens(at);
    const listed = existsSync(at.lab) ? labFiles(at) : undefined;
    expect(await client.closed).toMatch(/is no longer the directory of this lab|is locked by this lab no longer/);
    expect(await until(() => !alive(pid), 5000)).toBe(true);
    expect(existsSync(at.lab) ? labFiles(at) : undefined).toEqual(listed);
  });

  test("does nothing to the lab that stands there now, when it is ended or asked", async () => {
    const at = place();
    await at.ok("up", "--nodes", "1", "--host", "inprocess");
    await at.ok("exec", "pve1", "echo OLD > /root/says");
    const old = await info(at);
    const client = await connectLab(at.lab);
    process.kill(old.pid, "SIGSTOP");
    rmSync(at.lab, { recursive: true });
    await at.ok("up", "--nodes", "1", "--host", "inprocess");
    await at.ok("exec", "pve1", "echo NEW > /root/says");
    const listed = labFiles(at);
    const act = { kind: "file-write", path: "/root/says", data: "", append: false } as const;
    const asked = client.call({ op: "file", node: "pve1", act });
    process.kill(old.pid, "SIGTERM");
    process.kill(old.pid, "SIGCONT");
    await expect(asked).rejects.toThrow(/is no longer the directory of this lab/);
    expect(await until(() => !alive(old.pid), 5000)).toBe(true);
    expect(labFiles(at)).toEqual(listed);
    process.kill((await info(at)).pid, "SIGKILL");
    await at.ok("up", "--host", "inprocess");
    expect(await at.ok("exec", "pve1", "cat /root/says")).toBe("NEW\n");
  });
});
