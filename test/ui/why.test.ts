/** The card that says why, and the list of problems: drawn from what a lab of the engine really tells in each state. */
import { expect, test, type Locator, type Page } from "@playwright/test";
import type { LabSnapshot } from "../../src/main/lab/api.ts";
import { Person, snapshotOf } from "../node/reasons.ts";
import { openFake, terminalOf, thing, typedInto } from "./driving.ts";
import type { FakeLab } from "./fake-lab.ts";
import { broken, healthy, partition } from "./fixtures.ts";

test.describe.configure({ mode: "parallel" });

let lab: FakeLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const hint = (page: Page): Locator => page.getByRole("complementary", { name: "Hint" });

interface Act {
  readonly nodes?: number;
  readonly qdevice?: boolean;
  readonly acts: readonly string[];
  /** Seconds after the acts. */
  readonly wait: number;
  /** Before the first of these acts the others have been done for 10 s. */
  readonly then?: readonly string[];
}

function state({ nodes = 3, qdevice = false, acts, wait, then = [] }: Act, paused = false): LabSnapshot {
  const person = Person.of({ nodes, qdevice });
  for (const act of acts) person.act(act);
  if (then.length > 0) person.wait(10);
  for (const act of then) person.act(act);
  person.wait(wait);
  return snapshotOf(person.world, paused);
}

test("a cut cable: the act, what corosync noticed, the votes, and what heals it", async ({ page }) => {
  lab = await openFake(page, state({ acts: ["link cut pve3:net0"], wait: 10 }));
  await expect(hint(page)).toContainText("Why is pve3 not quorate?");
  await hint(page).getByRole("button", { name: "Why?" }).click();
  const clauses = hint(page).getByRole("listitem");
  await expect(clauses.first()).toContainText("Cable pve3:net0 is cut.");
  await expect(clauses.first()).toContainText("link cut pve3:net0");
  await expect(hint(page)).toContainText("pve1: host: host: 3 has no active links");
  await expect(hint(page)).toContainText("pve3 has 1 of 3 votes and needs 2: not quorate.");
  await hint(page)
    .getByRole("button", { name: /^pve1: host: host: 3 has no active links/ })
    .click();
  await expect(page.getByRole("tab", { name: "Journal", exact: true })).toHaveAttribute("aria-selected", "true");
  await hint(page).getByRole("button", { name: "Heal the cable" }).click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "link heal pve3" });
});

/** What the card says of each state, and what it must not. */
/** `cables`: those that are whole, though knet reaches nobody over them: their line is not that of a cut. */
const STATES: readonly { name: string; state: Act; says: RegExp; not?: RegExp; cables?: readonly string[] }[] = [
  { name: "partition", state: { acts: ["partition pve1,pve2 pve3"], wait: 10 }, says: /The network is partitioned: pve1 and pve2 \| pve3/ },
  { name: "loss", state: { acts: ["link set pve3:net0 --loss 60"], wait: 20 }, says: /loses 60 %/ },
  {
    name: "healed, link not up",
    state: { acts: ["link cut pve3:net0"], then: ["link heal pve3:net0"], wait: 0.5 },
    says: /Cable pve3:net0 was healed/,
    not: /reaches|is cut/,
    cables: ["pve3:net0"],
  },
  { name: "QDevice", state: { nodes: 2, qdevice: true, acts: ["link cut pve2:net0"], wait: 40 }, says: /QDevice/ },
  { name: "switch off", state: { acts: ["switch off net0"], wait: 10 }, says: /Why is nobody quorate\?.*Switch net0 is off/s },
  { name: "split in three", state: { acts: ["partition pve1 pve2 pve3"], wait: 10 }, says: /Why is nobody quorate\?/ },
  {
    name: "two corosyncs stopped",
    state: { acts: ["service stop pve2 corosync", "service stop pve3 corosync"], wait: 10 },
    says: /Why is nobody quorate\?.*corosync was stopped on pve2/s,
    cables: ["pve1:net0"],
  },
  { name: "killed", state: { acts: ["node kill pve2"], wait: 10 }, says: /pve2 lost its power/ },
  { name: "stalled", state: { acts: ["node pause pve2"], wait: 10 }, says: /pve2 is stalled/ },
  { name: "stopped", state: { acts: ["service stop pve2 corosync"], wait: 10 }, says: /corosync was stopped on pve2/ },
  { name: "killed daemon", state: { acts: ["service kill pve2 corosync"], wait: 10 }, says: /corosync on pve2 was killed/ },
];

for (const one of STATES)
  test(`the card of: ${one.name}`, async ({ page }) => {
    lab = await openFake(page, state(one.state));
    await expect(hint(page)).toContainText(one.says);
    if (one.not !== undefined) await expect(hint(page)).not.toContainText(one.not);
    await expect(hint(page)).not.toContainText(/\/etc\/pve|guest|HA /);
    for (const cable of one.cables ?? []) {
      await expect(thing(page, `cable:${cable}`)).toHaveAttribute("data-state", "silent");
      await expect(thing(page, `cable:${cable}`).locator(".line")).toHaveCount(1);
      await expect(thing(page, `cable:${cable}`).locator(".down, .cross")).toHaveCount(0);
    }
  });

test("a command of the card is typed into that node's terminal, and not run", async ({ page }) => {
  const snapshot = partition();
  snapshot.why[0]?.clauses.push({
    ...{ role: "do", text: "See the votes", refs: [{ kind: "status", node: "pve3", instant: 187_412_000, what: "quorum" }] },
    fix: { label: "See the votes", node: "pve3", command: "pvecm status" },
  });
  lab = await openFake(page, snapshot);
  await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
  await hint(page).getByRole("button", { name: "Why?" }).click();
  const command = hint(page).getByRole("button", { name: "pvecm status" });
  await expect(command).toHaveAttribute("title", "Types it into pve3’s terminal; Enter is yours");
  await command.click();
  await expect(terminalOf(page, "pve3")).toContainText("pvecm status");
  expect(typedInto(lab)).toMatch(/pvecm status$/);
  await expect(terminalOf(page, "pve3")).not.toContainText("Cluster information");
});

test("a node that boots is alone for no reason that could be healed", async ({ page }) => {
  lab = await openFake(page, state({ acts: ["node kill pve2"], then: ["node start pve2"], wait: 2 }));
  await expect(thing(page, "node:pve2")).toBeVisible();
  await expect(page.getByText(/Why is pve2/)).toHaveCount(0);
  await expect(hint(page).getByRole("button", { name: /Heal/ })).toHaveCount(0);
});

test("gather: each belief is said once, for all that have it", async ({ page }) => {
  const person = Person.of({ nodes: 5 });
  person.act("node kill pve5");
  person.until((world) => world.status("pve1").corosync?.state === "gather");
  person.wait(0.3);
  lab = await openFake(page, snapshotOf(person.world, true));
  await expect(hint(page)).toContainText("Gather: no ring now");
  await expect(hint(page)).toContainText(/pve1, pve2, pve3 and pve4 would form a ring of/);
  await expect(hint(page)).not.toContainText(/would form.*would form/s);
});

/** Advice on the file, which is no problem of this run, stands at the end. */
const rows = (page: Page): Locator =>
  page
    .getByRole("region", { name: "Problems" })
    .getByRole("listitem")
    .filter({ hasNotText: /^\s*note.*(single-link|even-votes)/ });

async function openProblems(page: Page): Promise<void> {
  await page
    .getByRole("contentinfo", { name: "Status" })
    .getByRole("button", { name: /problem/ })
    .click();
}

test("one cut cable of sixteen nodes is one problem, with a count, an age and what heals it", async ({ page }) => {
  lab = await openFake(page, state({ nodes: 16, acts: ["link cut pve16:net0"], wait: 20 }));
  await openProblems(page);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText("Cable pve16:net0 is cut. pve16 has 1 of 16 votes and needs 9: not quorate");
  await expect(rows(page)).toContainText("×31");
  await expect(rows(page)).toContainText("20 s");
  await rows(page).getByRole("button", { name: "Heal the cable" }).click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "link heal pve16" });
});

test("a partition of sixteen nodes is one problem", async ({ page }) => {
  const names = Array.from({ length: 16 }, (_, i) => `pve${i + 1}`);
  lab = await openFake(
    page,
    state({ nodes: 16, acts: [`partition ${names.slice(0, 8).join(",")} ${names.slice(8).join(",")}`], wait: 20 }),
  );
  await openProblems(page);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(
    "The network is partitioned: pve1, pve2 and 6 more | pve9, pve10 and 6 more. Not one of 2 sides is quorate",
  );
});

test("a node that is off or stalled comes first, and no name stands twice", async ({ page }) => {
  lab = await openFake(page, state({ nodes: 4, acts: ["link set pve1:net0 --delay 3", "node kill pve2", "node pause pve3"], wait: 12 }));
  await openProblems(page);
  await expect(rows(page).nth(0)).toContainText("pve3 is stalled");
  await expect(rows(page).nth(1)).toContainText("pve2 lost its power");
  await expect(page.getByRole("region", { name: "Problems" })).not.toContainText(/(pve\d) \1/);
  // The command of a problem goes to the node's terminal.
  await page.getByRole("button", { name: "Resume pve3" }).last().click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "node resume pve3" });
});

test("the broken file comes before what follows from it", async ({ page }) => {
  const person = Person.of({ nodes: 3 });
  const reply = person.world.query("pve2", { kind: "file-read", path: "/etc/corosync/corosync.conf" });
  if (reply.kind !== "file") throw new Error("no file");
  person.write("pve2", "/etc/corosync/corosync.conf", new TextDecoder().decode(reply.data).replace("node {", "nod {"));
  person.act("service restart pve2 corosync");
  person.wait(10);
  lab = await openFake(page, snapshotOf(person.world));
  await openProblems(page);
  await expect(rows(page).first()).toContainText(/corosync\.conf of pve2 is broken: .*nod/);
  await expect(page.getByRole("region", { name: "Problems" })).not.toContainText(/nodelist of pve2/);
});

test("problems are counted by kind, notes too, and errors come first", async ({ page }) => {
  const snapshot = broken();
  snapshot.problems = snapshot.problems.toReversed();
  lab = await openFake(page, snapshot);
  await openProblems(page);
  await expect(page.getByRole("region", { name: "Problems" })).toContainText("2 errors, 1 note");
  await expect(page.getByRole("tab", { name: "Problems 3" })).toBeVisible();
  await expect(rows(page).first()).toContainText("error");
  await expect(rows(page).last()).toContainText("note");
  await expect(page.getByRole("button", { name: "2 problems, 1 note" })).toBeVisible();
});

test("a service that was stopped in order did not fail", async ({ page }) => {
  const snapshot = state({ acts: ["service stop pve2 corosync"], wait: 10 });
  lab = await openFake(page, snapshot);
  lab.emit({
    event: "journal",
    lines: Array.from({ length: 8 }, (_, i) => ({
      instant: 5 + i,
      node: "pve2",
      unit: "corosync",
      pid: i === 7 ? 1 : 700,
      level: "info",
      subsystem: "",
      text: i === 7 ? "corosync.service: Deactivated successfully." : `raw line ${i}`,
    })),
  });
  await thing(page, "node:pve2").click();
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await inspector.getByRole("tab", { name: "membership" }).click();
  await expect(inspector).toContainText("corosync was stopped in order. That is no failure.");
  const pane = inspector.getByRole("tabpanel", { name: "membership" });
  await expect(pane.getByText("raw line 6")).toBeHidden();
  await pane.getByText("Last lines of its journal").click();
  await expect(pane.getByText("raw line 6")).toBeVisible();
});

test("healed: what is offered stays in its card, and is offered once", async ({ page }) => {
  lab = await openFake(page, partition());
  await expect(thing(page, "node:pve3")).toBeVisible();
  lab.show(healthy());
  await expect(hint(page)).toContainText("One ring again");
  const card = await hint(page).boundingBox();
  for (const button of await hint(page).getByRole("button").all()) {
    const box = await button.boundingBox();
    if (card === null || box === null) throw new Error("not drawn");
    expect(box.x).toBeGreaterThanOrEqual(card.x);
    expect(box.x + box.width).toBeLessThanOrEqual(card.x + card.width);
  }
  lab.show(partition());
  await expect(hint(page)).toContainText("Why is pve3 not quorate?");
  lab.show(healthy());
  await expect(thing(page, "cable:pve3:net0")).toHaveAttribute("data-state", "carrying");
  await expect(hint(page)).toHaveCount(0);
});

test("healed: one's own file is one click away", async ({ page }) => {
  lab = await openFake(page, partition());
  await expect(thing(page, "node:pve3")).toBeVisible();
  lab.show(healthy());
  await hint(page).getByRole("button", { name: "Load my cluster’s corosync.conf …" }).click();
  await expect(page.getByRole("complementary", { name: "Findings" })).toContainText(
    "Choose a corosync.conf, drop it anywhere on this page",
  );
});
