/** A lab from its first start to its end, through the command line alone, as a person or a script uses it. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectLab } from "../../src/main/lab/process/client.ts";
import { holderRuns, readLock } from "../../src/main/lab/store/lock.ts";
import { complaint, newPlace, type Place } from "./quorate.ts";
import { resummed } from "../records.ts";

let place: Place;
beforeAll(() => {
  place = newPlace();
});
afterAll(() => place.end());

const json = async (...args: string[]): Promise<Record<string, unknown>> => JSON.parse(await place.ok(...args)) as Record<string, unknown>;

describe("a lab, from the command line", { timeout: 120_000 }, () => {
  it("comes up clustered and quorate", async () => {
    const up = await json("up", "--host", "inprocess", "--clustered", "--seed", "5", "--speed", "10", "--json");
    expect(up).toMatchObject({ lab: place.lab, name: "lab", running: true, nodes: ["pve1", "pve2", "pve3"], url: null });
    expect(up["pid"]).toBeTypeOf("number");
    const status = await json("status", "pve2", "--json");
    expect(status).toMatchObject({ lab: place.lab, paused: false, faults: [] });
    expect(status["nodes"]).toMatchObject([
      {
        name: "pve2",
        kind: "node",
        power: "on",
        worker: "alive",
        units: { corosync: "active" },
        corosync: { nodeId: 2, state: "operational", members: [1, 2, 3], representative: 1 },
        quorum: { quorate: true, expectedVotes: 3, highestExpected: 3, totalVotes: 3, quorum: 2, flags: ["Quorate"], qdevice: null },
        qnetd: null,
        pmxcfs: null,
        ha: null,
      },
    ]);
  });

  it("keeps its secret and socket to this user", () => {
    expect(statSync(join(place.lab, "running.json")).mode & 0o777).toBe(0o600);
    const { socket } = JSON.parse(readFileSync(join(place.lab, "running.json"), "utf8")) as { socket: string };
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it("runs a line on a node with its stdin, stdout, stderr and status", async () => {
    const ran = await place.run(["exec", "pve1", "--", "cat; hostname; echo oops >&2; exit 7"], { input: "from here\n" });
    expect(ran).toEqual({ stdout: "from here\npve1\n", stderr: "oops\n", status: 7 });
    expect(await place.ok("exec", "pve2", "pvecm status | grep Quorate:")).toBe("Quorate:          Yes\n");
  });

  it("interrupts what runs at Ctrl-C, and at a time-out", async () => {
    const [stopped, late] = await Promise.all([
      place.run(["exec", "pve1", "echo sleeps; sleep 1000"], { signalAtOutput: "SIGINT" }),
      place.run(["exec", "--timeout", "1", "pve1", "sleep 1000"]),
    ]);
    expect(stopped.status).toBe(130);
    expect([late.status, late.stderr]).toEqual([255, "quorate: no end after 1 s; interrupted\n"]);
  });

  it("loses its minority when a cable is cut, and heals", async () => {
    await place.ok("link", "cut", "pve3:net0");
    await place.ok("wait", "--not-quorate", "--members", "1", "--node", "pve3");
    await place.ok("wait", "--quorate", "--members", "2", "--node", "pve1", "--node", "pve2");
    expect((await json("status", "--json"))["faults"]).toEqual([{ kind: "cut", node: "pve3", net: "net0", direction: "both" }]);
    // Why its node is as it is, on stderr, after what the line says; of another node's line it is not told.
    const explained = await place.run(["exec", "--explain", "pve3", "--", "echo said; exit 3"]);
    expect([explained.stdout, explained.status]).toEqual(["said\n", 3]);
    expect(explained.stderr).toMatch(/^Why is pve3 not quorate\?\n {2}Cable pve3:net0 is cut\.  \[\d+\.\d{3} s: link cut pve3:net0\]\n/);
    expect((await place.run(["exec", "pve3", "--", "exit 3"])).stderr).toBe("");
    await place.ok("heal");
    await place.ok("wait", "--quorate", "--members", "3", "--idle");
    expect(await place.ok("log", "pve3", "-u", "corosync")).toContain("This node is within the primary component");
  });

  it("says why a wait did not come about", async () => {
    const ran = await place.run(["wait", "--members", "7", "--timeout", "2"]);
    expect([ran.status, complaint(ran)]).toEqual([1, "quorate: not within 2 virtual seconds: pve1 has 3 members, not 7"]);
  });

  it("can be paused, asked while it is, stepped and skipped", async () => {
    await place.ok("pause");
    expect(await json("time", "--json")).toMatchObject({ paused: true, speed: 10, achieved: 0 });
    expect(await place.ok("exec", "pve1", "corosync-quorumtool -s | grep -c Quorate")).toBe("2\n");
    const held = await place.run(["exec", "--no-wait", "pve1", "sleep", "5"]);
    expect([held.status, held.stderr]).toEqual([255, "quorate: the lab is paused, and this command needs time\n"]);
    const wait = await place.run(["wait", "--members", "1"]);
    expect([wait.status, complaint(wait)]).toEqual([1, "quorate: the lab is paused, and pve1 has 3 members, not 1"]);
    const one = Number(await place.ok("step"));
    expect(Number(await place.ok("step", "window", "5"))).toBeGreaterThan(one);
    await place.ok("node", "kill", "pve2");
    expect(await place.ok("skip")).toMatch(/^\d+\.\d{6} s: pve\d/);
    await place.ok("resume");
    await place.ok("node", "start", "pve2");
    await place.ok("wait", "--members", "3", "--quorate");
  });

  it("is frozen and goes on at the same instant, and its record replays to the same digest", async () => {
    await place.ok("speed", "0.01");
    await place.ok("exec", "pve1", "echo kept > /root/note");
    await place.ok("down");
    const [frozen] = JSON.parse(await place.ok("ls", "--json")) as { instant: number; running: boolean }[];
    expect(frozen?.running).toBe(false);
    const up = await json("up", "--json");
    expect((up["instant"] as number) - (frozen?.instant ?? 0)).toBeLessThan(1e6);
    expect(await place.ok("exec", "pve1", "cat /root/note")).toBe("kept\n");
    const record = join(place.dir, "record");
    await place.ok("record", "--out", record);
    expect(await json("replay", record, "--json")).toMatchObject({ equal: true, firstDifference: null });
    // The replay is another process with no lab: a record that was tampered with does not pass for the run.
    writeFileSync(record, resummed(readFileSync(record, "utf8").replace('"kind":"power-cut"', '"kind":"stall"')));
    expect(await json("replay", record, "--json")).toMatchObject({ equal: false });
  });

  it("exports its corosync.conf, which imports as the same lab", async () => {
    const out = join(place.dir, "export");
    await place.ok("export", "--out", out);
    expect(await place.ok("conf", "check", join(out, "corosync.conf"))).toContain("corosync accepts this file");
    expect(existsSync(join(out, "README.md"))).toBe(true);
    const imported = await place.ok("import", join(out, "corosync.conf"));
    expect(imported).toContain("net0: 10.0.0.13");
    expect((await place.run(["export", "--out", out])).status).toBe(2);
  });

  it("powers every node on from its disk after its supervisor was killed, and says so", async () => {
    process.kill((await json("up", "--json"))["pid"] as number, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const [args, status] of [
      [["status"], 1],
      [["exec", "pve1", "true"], 255],
    ] as const) {
      const ran = await place.run(args);
      expect(ran.status).toBe(status);
      expect(ran.stderr).toMatch(/^quorate: the supervisor of .* was killed; "quorate up" powers the lab on from disk\n$/);
    }
    const up = await place.run(["up", "--speed", "10"]);
    expect([up.status, complaint(up)]).toEqual([0, "quorate: the lab was not taken down in order: every node powers on from its disk"]);
    expect(await place.ok("exec", "pve1", "cat /root/note")).toBe("kept\n");
    await place.ok("wait", "--members", "3", "--quorate");
    // What was before is on the timeline and in the task log still, and the outage too.
    const client = await connectLab(place.lab);
    const { instant } = await client.call({ op: "time" });
    const timeline = await client.call({ op: "timeline", from: 0, to: instant + 1, px: 4_000 });
    expect(timeline.bands.filter(({ node }) => node === "pve2").map(({ state }) => state)).toEqual(
      expect.arrayContaining(["operational", "off", "booting", "operational"]),
    );
    expect(timeline.marks.map(({ text }) => text)).toContain("the lab was not taken down in order: every node powers on from its disk");
    expect(Math.min(...timeline.bands.map(({ from }) => from))).toBe(timeline.begins);
    const { tasks } = await client.call({ op: "tasks", since: 0 });
    expect(tasks.find(({ line }) => line.includes("/root/note"))).toMatchObject({ by: "command-line", kind: "command", nodes: ["pve1"] });
    client.close();
    const log = readFileSync(join(place.lab, "supervisor.log"), "utf8").trimEnd().split("\n");
    const lines = log.map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(lines.filter(({ level }) => level !== "info").map(({ msg }) => msg)).toEqual([
      "the lab was not taken down in order: every node powers on from its disk",
    ]);
    // The socket of the one that was killed is gone with it.
    if (process.platform !== "win32")
      expect(readdirSync(join(place.dir, "quorate")).filter((name) => name.endsWith(".sock"))).toHaveLength(1);
  });

  it("is deleted with everything of its own, and leaves no process", async () => {
    await place.ok("up");
    const lock = readLock(place.lab);
    if (lock === undefined) throw new Error("the lab has no lock");
    expect(holderRuns(lock)).toBe(true);
    await place.ok("rm", "--yes");
    expect(existsSync(place.lab)).toBe(false);
    expect(holderRuns(lock)).toBe(false);
    expect(await place.ok("ls", "--json")).toBe("[]\n");
  });
});
