// pvecm status and nodes with a quorum device, as the real pvecm printed them: apart, without the server, and with a node's device stopped.
import { describe, expect, test } from "vitest";
import { SEC } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, type WorldAct } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { Ledger, type Side } from "../conformance/ledger.ts";
import { keepTable } from "../conformance/table.ts";
import { haveReference, reference, skipLine } from "../shared.ts";

/** What was printed by each call of pvecm in the recording, in its order, with its exit status. */
function recorded(): { node: string; argv: string[]; text: string; status: number }[] {
  const text = reference("pvecm/transcripts/qdevice-states.txt");
  const calls = text.matchAll(/^root@(pve\d):~# (pvecm \w+)[^\n]*\n([\s\S]*?)\[exit (\d+)\]/gm);
  return [...calls].map((m) => ({ node: m[1] ?? "", argv: (m[2] ?? "").split(" "), text: m[3] ?? "", status: Number(m[4]) }));
}

const ledger = new Ledger("pvecm");

/** Without the date and what counts up: the versions, and the numbers of rings. */
function still(side: Side, text: string): string {
  const undated = ledger.blank("pvecm-date", side, text, /^(Date: +).*$/gm, (label) => label);
  const uncounted = ledger.blank("pvecm-numbers", side, undated, /^(Config Version: +|Ring ID: +\d+\.).*$/gm, (label) => label);
  return ledger.blank("pvecm-addresses", side, uncounted, /10\.99\.0\./g, () => "10.0.0.");
}

function formed(): World {
  const lab = defaultLabFile({ nodes: 2, links: 1, clustered: true, qdevice: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(lab), makeMachine);
  world.runUntil(25 * SEC);
  return world;
}

skipLine("pvecm with a quorum device");
const calls = haveReference ? recorded() : [];

describe.skipIf(!haveReference)("with a quorum device", () => {
  const service = (machine: string, op: "stop" | "start", unit: string): WorldAct => ({
    to: "machine",
    machine,
    act: { kind: "service", op, unit },
  });
  const expectAs = (world: World, index: number): void => {
    const call = calls[index];
    if (call === undefined) throw new Error(`there is no call ${index} in the recording`);
    const reply = world.query(call.node, { kind: "command", argv: call.argv, cwd: "/root", stdin: "" });
    if (reply.kind !== "result") throw new Error(`${call.argv.join(" ")}: ${reply.kind}`);
    expect([still("lab", reply.stdout), reply.status]).toEqual([still("recorded", call.text), call.status]);
  };

  test("there are the six calls of the recording", () => {
    expect(calls.map((c) => `${c.node} ${c.argv.join(" ")}`)).toEqual([
      "pve1 pvecm status",
      "pve1 pvecm nodes",
      "pve2 pvecm status",
      "pve1 pvecm status",
      "pve1 pvecm status",
      "pve1 pvecm nodes",
    ]);
  });

  test("one node cut off from everything", () => {
    const world = formed();
    world.act({ to: "fabric", act: { kind: "partition", groups: [["pve1", "qnetd"], ["pve2"]] } });
    world.runUntil(80 * SEC);
    for (const i of [0, 1, 2]) expectAs(world, i);
  });

  test("the server stopped", () => {
    const world = formed();
    world.act(service("qnetd", "stop", "corosync-qnetd"));
    world.runUntil(45 * SEC);
    expectAs(world, 3);
  });

  test("the device stopped on one node", () => {
    const world = formed();
    world.act(service("pve1", "stop", "corosync-qdevice"));
    world.runUntil(30 * SEC);
    expectAs(world, 4);
    // Started again before the list of nodes was asked for.
    world.act(service("pve1", "start", "corosync-qdevice"));
    world.runUntil(50 * SEC);
    expectAs(world, 5);
  });

  test("qdevice, the subcommand, says that it is not modelled", () => {
    const reply = formed().query("pve1", { kind: "command", argv: ["pvecm", "qdevice", "remove"], cwd: "/root", stdin: "" });
    expect(reply).toMatchObject({ kind: "result", stderr: "pvecm qdevice: not modelled in this lab\n" });
    expect(reply.kind === "result" ? reply.status : 0).not.toBe(0);
  });

  test("every exclusion was used", () => {
    keepTable(ledger);
    expect(ledger.unused()).toEqual([]);
  });
});
