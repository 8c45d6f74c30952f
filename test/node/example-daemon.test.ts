/** The daemon that CONTRIBUTING.md makes from nothing is a daemon like any other: taken from the page, built into a node, run, killed, put away and taken up again. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { compilerFaults, engineWithDaemon, exampleFiles, type EngineWithDaemon } from "./example-daemon.ts";
import type { TestNetwork, TestNetworkOptions } from "./lab.ts";

let engine: EngineWithDaemon;
let remove: () => void;

beforeAll(async () => ({ engine, remove } = await engineWithDaemon()));
afterAll(() => remove());

const withDaemon: TestNetworkOptions = { packages: ["heartbeatd"] };

/** Runs a command line on the node; what it prints, and its status. */
function run(network: TestNetwork, line: string): { printed: string; status: number | undefined } {
  const before = network.effects.length;
  network.act(0, { kind: "command", id: `c${before}`, argv: line.split(" "), cwd: "/", stdin: "" });
  network.runTo(network.now + SEC / 10);
  const made = network.effects.slice(before).map(({ effect }) => effect);
  const printed = made.flatMap((e) => (e.kind === "output" ? [e.text] : [])).join("");
  return { printed, status: made.find((e) => e.kind === "exit")?.status };
}

const beats = (network: TestNetwork): string[] =>
  network.journal(0).flatMap(({ identifier, text }) => (identifier === "heartbeatd" ? [text] : []));

const pidOf = (network: TestNetwork): number => Number(run(network, "pidof heartbeatd").printed.trim());

function digest(network: TestNetwork): string {
  const h = new engine.Hasher();
  for (const node of network.nodes) node.digest(h);
  return h.hex();
}

test("the compiler has nothing against it, as it has against what is wrong", { timeout: 60_000 }, () => {
  const wrong = 'import { Heartbeatd } from "./heartbeatd.ts";\nexport const beats: string = new Heartbeatd();\n';
  const faults = compilerFaults(new Map([...exampleFiles(), ["src/engine/node/wrong.ts", wrong]]));
  expect(faults.length).toBeGreaterThan(0);
  expect(faults.filter((fault) => !fault.includes("/wrong.ts: "))).toEqual([]);
});

describe("on a node", () => {
  test("is started at boot, counts, and is what systemctl and journalctl say", () => {
    const network = new engine.TestNetwork(["pve1"], withDaemon);
    network.runTo(13 * SEC);
    expect(beats(network)).toEqual(["ready after 0 beats", "beat 1", "beat 2"]);
    const pid = pidOf(network);
    const { printed, status } = run(network, "systemctl status heartbeatd");
    expect(status).toBe(0);
    expect(printed).toContain("heartbeatd.service - Heartbeat daemon");
    expect(printed).toMatch(/Active: active \(running\) since .*; 13s ago/);
    expect(printed).toContain(`Main PID: ${pid} (heartbeatd)`);
    expect(run(network, "journalctl -u heartbeatd -n 1 -o cat").printed).toBe("beat 2\n");
    expect(network.node(0).query(network.now, { kind: "file-read", path: "/var/lib/heartbeatd/count" })).toEqual({
      kind: "file",
      data: utf8("2"),
    });
  });

  test("where its package is not, it is not", () => {
    const network = new engine.TestNetwork(["pve1"]);
    network.runTo(5 * SEC);
    expect(run(network, "systemctl status heartbeatd")).toEqual({ printed: "Unit heartbeatd.service could not be found.\n", status: 4 });
    expect(run(network, "pidof heartbeatd")).toEqual({ printed: "", status: 1 });
  });

  test("SIGTERM ends it; SIGKILL does too, and systemd starts it again, where it was", () => {
    const network = new engine.TestNetwork(["pve1"], withDaemon);
    network.runTo(7 * SEC);
    const first = pidOf(network);
    expect(run(network, `kill -9 ${first}`).status).toBe(0);
    network.runTo(network.now + 2 * SEC);
    const second = pidOf(network);
    expect(second).not.toBe(first);
    const unit = network.lines(0).filter((line) => line.startsWith("systemd: heartbeatd.service: "));
    expect(unit).toEqual([
      "systemd: heartbeatd.service: Main process exited, code=killed, status=9/KILL",
      "systemd: heartbeatd.service: Failed with result 'signal'.",
      "systemd: heartbeatd.service: Scheduled restart job, restart counter is at 1.",
    ]);
    network.runTo(network.now + 5 * SEC);
    expect(run(network, "systemctl stop heartbeatd").status).toBe(0);
    network.runTo(network.now + 20 * SEC);
    expect(beats(network)).toEqual(["ready after 0 beats", "beat 1", "ready after 1 beats", "beat 2", "SIGTERM: ends after 2 beats"]);
    expect(run(network, "systemctl start heartbeatd").status).toBe(0);
    expect(beats(network).at(-1)).toBe("ready after 2 beats");
  });

  test("stopped it sleeps its beats through", () => {
    const network = new engine.TestNetwork(["pve1"], withDaemon);
    network.runTo(7 * SEC);
    run(network, "pkill -STOP heartbeatd");
    network.runTo(30 * SEC);
    run(network, "pkill -CONT heartbeatd");
    network.runTo(36 * SEC);
    expect(beats(network)).toEqual(["ready after 0 beats", "beat 1", "beat 2", "beat 3"]);
  });

  test("answers on its socket", () => {
    const { network, client, now } = engine.clients(["pve1"], withDaemon);
    network.runTo(12 * SEC);
    const replies: unknown[] = [];
    now(0, (os) => {
      const id = os.ipc.connect("/run/heartbeatd.sock");
      if (id === undefined) throw new Error("nobody listens");
      os.ipc.request(id, { call: "beats" });
      os.ipc.request(id, { call: "rhythm" });
    });
    for (const { event } of client(0).heard) if (event.what === "reply") replies.push(event.reply);
    expect(replies).toEqual([{ beats: 2 }, { error: "EOPNOTSUPP" }]);
  });

  test.each([0.5, 6.2, 7.5, 9, 21])("put away at %f s it goes on to the same end", (second) => {
    const play = (network: TestNetwork, until: number): void => {
      const kill = 7 * SEC;
      if (network.now < kill && until > kill) {
        network.runTo(kill);
        run(network, "pkill -9 heartbeatd");
      }
      network.runTo(until);
    };
    const original = new engine.TestNetwork(["pve1"], withDaemon);
    play(original, second * SEC);
    const copy = new engine.TestNetwork(["pve1"], withDaemon);
    copy.node(0).restore(structuredClone(original.node(0).snapshot()));
    copy.now = original.now;
    expect(digest(copy)).toBe(digest(original));
    play(original, 40 * SEC);
    play(copy, 40 * SEC);
    expect(digest(copy)).toBe(digest(original));
    expect(beats(copy).at(-1)).toBe(beats(original).at(-1));
  });
});
