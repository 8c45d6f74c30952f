/** What a lab tells of the moment: what is awaited, where the token is, what comes next, what one event was; where skip stops; and a packet that is dropped. */
import { afterEach, describe, expect, it } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import { World, replayWorld, type WorldSnapshot } from "../../src/engine/world/index.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { advance, beginLab } from "../../src/main/lab/scenario/advance.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { testDisks } from "./node-disks.ts";

let lab: Lab;
afterEach(() => lab.close());

/** How a lab of so many nodes stands once it has formed and is idle. */
const formed = new Map<number, WorldSnapshot>();

function formedLab(nodes = 3): Lab {
  const file = defaultLabFile({ nodes, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(file), makeNode);
  const before = formed.get(nodes);
  if (before === undefined) {
    expect(beginLab(world, file)).toBeUndefined();
    world.runUntil(world.now + 5e6);
    formed.set(nodes, world.snapshot());
  } else world.restore(before);
  const disks = testDisks();
  const made: Lab = new Lab(
    inProcess(world, disks, { speed: 1, paused: true }, () => made.faults),
    { dir: "/nowhere", file, text: "", version: "test", disk: new LabDisk("/nowhere"), disks },
  );
  return made;
}

const until = (holds: () => boolean, seconds = 30): boolean => advance(lab.world, lab.world.now + seconds * 1e6, holds);
const corosync = (node: string): NonNullable<ReturnType<World["status"]>["corosync"]> => {
  const status = lab.world.status(node).corosync;
  if (status === null) throw new Error(`no corosync on ${node}`);
  return status;
};

describe("what is awaited", () => {
  it("is the token, whose timer is where the journal then says it was lost", async () => {
    lab = formedLab();
    await lab.acts.act("link cut pve3");
    const at = corosync("pve3").timers.token ?? 0;
    expect(at - (corosync("pve3").token.lastReceived ?? 0)).toBe(corosync("pve3").token.tokenTimeoutMs * 1000);
    // It may still receive what was under way; then the timer stands.
    lab.world.runUntil(lab.world.now + 10_000);
    const due = corosync("pve3").timers.token ?? 0;
    lab.world.runUntil(due);
    expect(corosync("pve3")).toMatchObject({ state: "operational", timers: { consensus: null } });
    lab.world.runUntil(due + 1);
    expect(corosync("pve3").state).toBe("gather");
    expect(corosync("pve3").timers.consensus).toBe(due + corosync("pve3").token.consensusMs * 1000);
    expect(corosync("pve3").timers.join).not.toBeNull();
  });

  it("is a link's pongs, one more each time, until it is up", async () => {
    lab = formedLab();
    await lab.acts.act("link cut pve3");
    expect(until(() => corosync("pve1").links.every(({ to, connected }) => to !== 3 || !connected))).toBe(true);
    await lab.acts.act("heal");
    const link = (): { pongs: number; pongsNeeded: number; connected: boolean } => {
      const found = corosync("pve1").links.find(({ to }) => to === 3);
      if (found === undefined) throw new Error("no link to pve3");
      return found;
    };
    const counts: number[] = [];
    until(() => {
      if (!link().connected && counts.at(-1) !== link().pongs) counts.push(link().pongs);
      return link().connected;
    });
    // knet_pong_count is 2 where the file says nothing.
    expect(link().pongsNeeded).toBe(3);
    expect(counts).toEqual([0, 1, 2]);
    expect(link().connected).toBe(true);
  });
});

describe("the token", () => {
  it("rests at the representative, is lost with the node it is sent to, and has no rate until the ring has been watched", async () => {
    lab = formedLab();
    until(() => lab.snapshot().tokens[0]?.state === "rests");
    const [token] = lab.snapshot().tokens;
    expect(token).toMatchObject({ state: "rests", node: "pve1", to: null });
    expect(token?.rate ?? 0).toBeGreaterThan(1.2);
    expect(token?.rate ?? 0).toBeLessThan(2);
    await lab.acts.act("node kill pve2");
    // Sent to a node that is off, and sent again and again, until it counts as lost.
    lab.world.runUntil(lab.world.now + 1_500_000);
    expect(corosync("pve1").state).toBe("operational");
    expect(lab.snapshot().tokens).toMatchObject([{ state: "lost", node: null, rate: null }]);
    const rates: number[] = [];
    until(() => corosync("pve1").state === "operational" && corosync("pve1").members.length === 2);
    until(() => {
      for (const { rate } of lab.snapshot().tokens) if (rate !== null) rates.push(rate);
      return rates.length > 200;
    });
    expect(Math.max(...rates)).toBeLessThan(2);
  });

  it("of a node alone just after forming turns at no rate yet", async () => {
    lab = formedLab(2);
    await lab.acts.act("link cut pve2");
    until(() => corosync("pve2").state === "operational" && corosync("pve2").members.length === 1);
    const alone = lab.snapshot().tokens.find(({ ringId }) => ringId === corosync("pve2").ringId);
    expect(alone?.rate ?? null).toBeNull();
  });
});

describe("skip", () => {
  it("stops at token loss, gather, commit, recovery, the ring and quorum, in the order they come", async () => {
    lab = formedLab();
    await lab.acts.act("link cut pve3");
    const whats: string[] = [];
    while (whats.length < 40 && !whats.includes("pve3 is not quorate")) whats.push((await lab.skip()).what);
    const place = (what: RegExp): number => whats.findIndex((one) => what.test(one));
    const order = [/^pve\d: token lost, gather$/, /^pve3: commit$/, /^pve3: recovery$/, /^pve3: membership 3\./];
    expect(order.map(place)).not.toContain(-1);
    expect(order.map(place)).toEqual([...order.map(place)].sort((a, b) => a - b));
    // Who gathers enters gather again and again: that is told once.
    expect(whats.filter((what) => /^pve3: .*gather/.test(what))).toHaveLength(1);
    expect(whats.some((what) => /no active links/.test(what))).toBe(true);
  });
});

describe("one event", () => {
  it("is told in a line, and was the first of what was to come", async () => {
    lab = formedLab();
    until(() => lab.snapshot().tokens[0]?.state === "travels");
    const lines: string[] = [];
    for (let i = 0; i < 40; i++) {
      const [next] = lab.upcoming().upcoming;
      const { happened, instant } = await lab.step("event", 1);
      expect([happened?.at, happened?.node]).toEqual([instant, next?.node]);
      expect(instant).toBe(next?.at);
      lines.push(happened?.text ?? "");
    }
    expect(lines.find((line) => /^pve1 → pve2: token seq \d+; token passed on to pve3$/.test(line))).toBeDefined();
    expect(lines.find((line) => /^pve\d: (hold timer|knet heartbeat) ran out/.test(line))).toBeDefined();
  });

  it("names a token that is lost, and the gather that follows", async () => {
    lab = formedLab();
    await lab.acts.act("link cut pve3");
    lab.world.runUntil(lab.world.now + 10_000);
    lab.world.runUntil(corosync("pve3").timers.token ?? 0);
    const texts: string[] = [];
    for (let i = 0; i < 20 && corosync("pve3").state === "operational"; i++) texts.push((await lab.step("event", 1)).happened?.text ?? "");
    expect(texts.at(-1)).toMatch(/^pve3: token timer ran out; token lost: gather/);
  });
});

describe("what comes next", () => {
  it("is in order, bounded, with the fields of a packet by their real names, and changes nothing", () => {
    lab = formedLab();
    until(() => lab.snapshot().tokens[0]?.state === "travels");
    const digest = lab.world.digest();
    const { upcoming, instant } = lab.upcoming();
    expect(lab.world.digest()).toBe(digest);
    expect(instant).toBe(lab.world.now);
    expect(upcoming.length).toBeGreaterThan(3);
    expect(upcoming.length).toBeLessThanOrEqual(40);
    expect(upcoming.map(({ at }) => at)).toEqual(upcoming.map(({ at }) => at).sort((a, b) => a - b));
    const token = upcoming.find(({ packet, text }) => packet !== undefined && text.startsWith("token"));
    expect(token?.packet?.fields.map(({ name }) => name)).toEqual(expect.arrayContaining(["ring_id", "seq", "aru", "rtr_list", "node ID"]));
    expect(token?.packet?.bytes).toBeGreaterThan(20);
    expect(upcoming.some(({ what, text, node }) => what === "timer" && text === "token timer" && node !== null)).toBe(true);
  });

  it("a packet is dropped by its number: the token then waits for its retransmission; the run replays; nothing takes it back", async () => {
    lab = formedLab();
    until(() => lab.snapshot().tokens[0]?.state === "travels");
    const next = lab.upcoming().upcoming.find(({ packet, text }) => packet !== undefined && text.startsWith("token"));
    const { from = "", node, net = "" } = next ?? {};
    const line = `packet drop ${from} ${node} ${net} ${next?.packet?.number}`;
    expect(await lab.acts.act(line)).toMatch(/^packet \d+ of pve\d to pve\d dropped$/);
    expect([lab.snapshot().tokens[0]?.state, lab.acts.undoes]).toEqual(["lost", null]);
    await expect(lab.acts.act(line)).rejects.toThrow(/^no packet \d+ from pve\d to pve\d is under way on net0$/);
    expect(until(() => lab.snapshot().tokens[0]?.state === "rests", 3)).toBe(true);
    const { world } = lab;
    const end = world.closeInstant();
    const again = replayWorld(world.design, makeNode, world.inputs());
    again.runUntil(end.at + 1);
    expect(again.digest()).toBe(world.digest());
    await expect(lab.acts.act("packet lose pve1 pve2 net0 1")).rejects.toThrow("drop SOURCE TARGET NET NUMBER");
    await expect(lab.acts.act("packet drop pve1 pve2 net0 x")).rejects.toThrow("a whole number from 0 is allowed");
  });
});
