/** Lines that hang, flood, multiply or outlive their exec: the lab and its other nodes go on, and nothing of them is left. Bounds are generous: `npm run bench` has the times. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectLab } from "../../src/main/lab/process/client.ts";
import { alive, newPlace, type Place } from "./quorate.ts";

let place: Place;

beforeAll(async () => {
  place = newPlace();
  await place.ok("up", "--nodes", "2", "--host", "inprocess");
}, 120_000);
afterAll(() => place.end());

/** Processes of ours in which lines run, as the lab has them on disk. */
function listed(): number[] {
  const file = join(place.lab, "sessions.json");
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, "utf8")) as { processes: { pid: number }[] }).processes.map(({ pid }) => pid);
}

async function until(holds: () => boolean, ms = 20_000): Promise<void> {
  for (const end = performance.now() + ms; !holds() && performance.now() < end;) await wallMs(50);
  expect(holds()).toBe(true);
}

/** A line that goes on, with what it has put out so far. */
function begin(line: string): { child: ChildProcess; out: () => number; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [...place.command, "exec", "pve1", line], { env: place.env, stdio: ["ignore", "pipe", "inherit"] });
  let chars = 0;
  child.stdout.on("data", (data: Buffer) => (chars += data.length));
  return { child, out: () => chars, ended: new Promise((done) => child.on("exit", (status) => done(status))) };
}

const onNode = async (): Promise<string> => place.ok("exec", "pve1", "ps -e -o args --no-headers");

describe("a line", () => {
  it("that cannot be interrupted holds up nobody, and is ended by force", async () => {
    // Doubles a line within one program: no turn of the event loop comes between.
    const hung = begin("echo begun; sed ':a;s/x/xx/g;ta' <<< x");
    await until(() => hung.out() > 0);
    expect(await place.ok("exec", "pve2", "echo here")).toBe("here\n");
    expect(await place.ok("exec", "pve1", "echo here")).toBe("here\n");
    hung.child.kill("SIGINT");
    expect([130, 1, 126, 137]).toContain(await hung.ended);
    expect(await onNode()).not.toContain("sed");
  }, 60_000);

  it("that floods waits for its reader, and hears Ctrl-C", async () => {
    const flood = begin("yes");
    await until(() => flood.out() > 100_000);
    flood.child.stdout?.pause();
    await wallMs(500);
    const [before] = [process.resourceUsage().maxRSS];
    await wallMs(500);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100_000);
    expect(await place.ok("exec", "pve2", "echo here")).toBe("here\n");
    flood.child.stdout?.resume();
    flood.child.kill("SIGINT");
    expect(await flood.ended).toBe(130);
    expect((await place.run(["exec", "pve1", "seq 1 200000 | tail -n 1"])).stdout).toBe("200000\n");
  }, 60_000);

  it("that reads a file beyond a message gets it in pieces", async () => {
    const ran = await place.run(["exec", "pve1", "head -c 8000000 /dev/zero > /root/a; wc -c /root/a; cat /root/a | wc -c; rm /root/a"]);
    expect(ran).toEqual({ stdout: "8000000 /root/a\n8000000\n", stderr: "", status: 0 });
  }, 60_000);
});

describe("what a line leaves in the background", () => {
  it("is waited for while it holds the output, and goes on without it: listed on its node, and ended by kill", async () => {
    expect(await place.ok("exec", "pve1", "( sleep 1; echo late ) & echo now")).toBe("now\nlate\n");
    expect(await place.ok("exec", "pve1", "( while :; do :; done ) > /dev/null 2>&1 & echo $!")).toMatch(/^\d+\n$/);
    const pid = (await place.ok("exec", "pve1", "sleep 500 > /dev/null 2>&1 & echo $!")).trim();
    expect(await onNode()).toContain("sleep 500");
    expect(await place.ok("exec", "pve1", `kill ${pid}; pkill -f '[w]hile :'; echo ended`)).toBe("ended\n");
    await until(() => listed().length <= 2);
    expect(await onNode()).not.toMatch(/sleep 500|while/);
  }, 60_000);

  it("multiplies to a bound, and other nodes answer", async () => {
    const loops = begin("for i in {1..400}; do while :; do :; done & done; echo all; wait");
    await until(() => loops.out() > 0, 60_000);
    expect(await place.ok("exec", "pve2", "echo here")).toBe("here\n");
    loops.child.kill("SIGINT");
    await loops.ended;
    const bomb = begin("f() { f | f & }; f; echo begun");
    expect(await place.ok("exec", "pve2", "echo here")).toBe("here\n");
    bomb.child.kill("SIGINT");
    await bomb.ended;
    await until(() => listed().length <= 2);
    expect((await onNode()).split("\n").filter((line) => line.startsWith("bash"))).toEqual([]);
  }, 180_000);
});

describe("a supervisor that is killed", () => {
  it("takes its sessions along, hung or not, and the next one knows of them", async () => {
    const { pid } = JSON.parse(readFileSync(join(place.lab, "running.json"), "utf8")) as { pid: number };
    const client = await connectLab(place.lab);
    let shown = "";
    client.onEvent((event) => event.event === "terminal-data" && (shown += event.data));
    const { terminal } = await client.call({ op: "terminal-open", node: "pve1", cols: 80, rows: 24 });
    await until(() => shown.includes("#"));
    await client.call({ op: "terminal-write", terminal, data: "sed ':a;s/x/xx/g;ta' <<< x\r" });
    const hung = begin("echo begun; sed ':a;s/x/xx/g;ta' <<< x");
    await until(() => hung.out() > 0);
    const sessions = listed();
    expect(sessions.length).toBeGreaterThanOrEqual(2);
    process.kill(pid, "SIGKILL");
    await until(() => !sessions.some(alive), 5000);
    expect(await hung.ended).toBe(255);
    await place.ok("up");
    expect(await onNode()).not.toMatch(/sed|-bash/);
  }, 120_000);
});

describe("a shell that was open at a snapshot", () => {
  it("is hung up when the lab goes on from there", async () => {
    const client = await connectLab(place.lab);
    let shown = "";
    client.onEvent((event) => event.event === "terminal-data" && (shown += event.data));
    const { terminal } = await client.call({ op: "terminal-open", node: "pve1", cols: 80, rows: 24 });
    await until(() => shown.includes("#"));
    expect(await onNode()).toContain("-bash");
    await place.ok("snapshot", "open");
    await client.call({ op: "terminal-close", terminal });
    await until(() => listed().length <= 2);
    await place.ok("rollback", "open");
    expect(await onNode()).not.toContain("-bash");
    client.close();
  }, 60_000);
});
