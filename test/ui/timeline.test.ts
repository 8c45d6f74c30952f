/** The timeline as a person has it: every part of the run can be reached, nothing is drawn where it has not been, no label is cut off, and acts stand as a list too. */
import { expect, test, type Locator, type Page } from "@playwright/test";
import type { Band, LabSnapshot, Task } from "../../src/main/lab/api.ts";
import { meet, openFake, terminalOf, thing } from "./driving.ts";
import type { FakeLab } from "./fake-lab.ts";
import { gather, healthy } from "./fixtures.ts";
import { realLab } from "./real-lab.ts";

let lab: FakeLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const SEC = 1_000_000;
const timeline = (page: Page): Locator => page.getByRole("region", { name: "Timeline" });
const lanes = (page: Page): Locator => timeline(page).getByRole("group", { name: /^Timeline from/ });
const head = (page: Page): Locator => timeline(page).locator(".head");

/** A run of ten minutes: an act every five seconds of its first minute, a ring for each. */
function busy(): { snapshot: LabSnapshot; marks: LabSnapshot["marks"]; bands: Band[] } {
  const snapshot = healthy();
  snapshot.time.instant = 600 * SEC;
  const marks = Array.from({ length: 12 }, (_, index) => ({
    instant: (5 + 5 * index) * SEC,
    kind: "act" as const,
    text: `cut cable pve${1 + (index % 3)}:net${index % 2}`,
  }));
  const [first] = snapshot.bands;
  if (first === undefined) throw new Error("the fixture has bands");
  const bands = ["pve1", "pve2", "pve3"].flatMap((node) =>
    Array.from({ length: 13 }, (_, index) => ({
      ...first,
      node,
      from: index * 5 * SEC,
      to: index === 12 ? null : (index + 1) * 5 * SEC,
      ringId: `1.${index}`,
    })),
  );
  return { snapshot, marks, bands };
}

async function openBusy(page: Page): Promise<void> {
  const { snapshot, marks, bands } = busy();
  snapshot.history.changes = 0;
  lab = await openFake(page, snapshot);
  lab.history.marks = marks;
  lab.history.bands = bands;
  lab.show({ ...snapshot, history: { changes: 2, tasks: 1, begins: 0 } });
}

test("flags never cover the buttons or the range, close ones are one with a count that opens as a list", async ({ page }) => {
  await openBusy(page);
  const longer = timeline(page).getByRole("button", { name: "Zoom out" });
  while (await longer.isEnabled()) await longer.click();
  await expect(timeline(page).getByRole("group", { name: "Acts on the timeline" }).getByRole("button").first()).toBeVisible();
  const shorter = timeline(page).getByRole("button", { name: "Zoom in" });
  for (let i = 0; i < 3; i++) await shorter.click({ timeout: 2_000 });
  while (await longer.isEnabled()) await longer.click({ timeout: 2_000 });
  const flags = timeline(page).getByRole("group", { name: "Acts on the timeline" }).getByRole("button");
  await expect(flags.first()).toBeVisible();
  // All twelve are there, in flags that do not overlap each other.
  const names = await flags.evaluateAll((all) => all.map((one) => one.getAttribute("aria-label") ?? ""));
  const count = names.reduce((sum, name) => sum + Number(/^(\d+) acts/.exec(name)?.[1] ?? 1), 0);
  expect(count).toBe(12);
  const boxes = await flags.evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => ({ left, right })));
  for (const [i, box] of boxes.entries()) expect(box.left).toBeGreaterThanOrEqual((boxes[i - 1]?.right ?? 0) - 0.5);
  for (const name of ["Zoom in", "Zoom out", "All", "Hide the timeline"])
    for (const flag of await flags.all())
      expect(await meet(flag, timeline(page).getByRole("button", { name, exact: true })), name).toBe(false);
  await flags.first().click();
  await expect(page.getByText("cut cable pve1:net0").first()).toBeVisible();
});

test("pans by drag, wheel and keys, to the beginning and back to now, and keeps what was at the beginning", async ({ page }) => {
  await openBusy(page);
  await expect(head(page)).toContainText("00:09:22 – 00:10:02");
  await page.keyboard.press("Home");
  await expect(head(page)).toContainText("00:00:00 – 00:00:40");
  await expect(timeline(page).locator('[data-lane="pve3"] .band').first()).toBeVisible();
  await expect(timeline(page).getByRole("button", { name: "cut cable pve1:net0" }).first()).toBeVisible();
  await page.keyboard.press("Shift+ArrowRight");
  await expect(head(page)).toContainText("00:00:08 – 00:00:48");
  await page.keyboard.press("End");
  await expect(head(page)).toContainText("00:09:22 – 00:10:02");
  const box = await lanes(page).boundingBox();
  if (box === null) throw new Error("the lanes have no place");
  await page.mouse.move(box.x + 100, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + 100 + box.width / 2, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await expect(head(page)).toContainText("00:09:02 – 00:09:42");
  await page.mouse.wheel(0, box.width / 2);
  await expect(head(page)).toContainText("00:09:22 – 00:10:02");
  await page.mouse.wheel(-box.width, 0);
  await expect(head(page)).toContainText("00:08:42 – 00:09:22");
  await timeline(page).getByRole("button", { name: "Now" }).click();
  await expect(head(page)).toContainText("00:09:22 – 00:10:02");
  // By keyboard in the lanes alone: down to milliseconds, up to all.
  await lanes(page).focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press("+");
  await expect(head(page)).toContainText(/00:09:59\.907 – 00:10:00\.007/);
  for (let i = 0; i < 12; i++) await page.keyboard.press("-");
  await expect(timeline(page).getByRole("button", { name: "All" })).toHaveAttribute("aria-pressed", "true");
  await expect(head(page)).toContainText("00:00:00 – 00:10:45");
  // The selection on the canvas is where it was.
  await expect(thing(page, "node:pve2")).toHaveAttribute("aria-pressed", "true");
});

test("no band and no label stands beyond now, none is clipped, none overlaps another", async ({ page }) => {
  const snapshot = gather();
  const now = snapshot.time.instant;
  // The last steps before now take less than a pixel each.
  for (const [index, state] of (["gather", "commit", "recovery", "gather"] as const).entries())
    for (const node of ["pve1", "pve2", "pve3"]) {
      const last = snapshot.bands.findLast((band) => band.node === node);
      if (last === undefined) throw new Error("a lane is empty");
      last.to = now - (4 - index) * 1_000;
      snapshot.bands.push({ ...last, from: last.to, to: null, state });
    }
  lab = await openFake(page, snapshot);
  await expect(timeline(page).locator(".band").first()).toBeVisible();
  const faults = await timeline(page).evaluate((element) => {
    const line = element.querySelector(".now")?.getBoundingClientRect().right ?? 0;
    const found: string[] = [];
    for (const lane of element.querySelectorAll(".lane")) {
      let before = -Infinity;
      for (const band of lane.querySelectorAll<HTMLElement>(".band")) {
        const box = band.getBoundingClientRect();
        if (box.left < before - 0.5) found.push(`${band.title} lies on the one before`);
        before = box.right;
        if (box.right > line + 1) found.push(`${band.title} ends at ${box.right}, now is ${line}`);
        const text = band.querySelector("span");
        if (text !== null && text.getBoundingClientRect().right > box.right + 0.5) found.push(`${text.textContent} is clipped`);
      }
    }
    return found;
  });
  expect(faults).toEqual([]);
});

test("says what is thinned, and that a node boots", async ({ page }) => {
  const snapshot = healthy();
  const [node] = snapshot.nodes;
  const last = snapshot.bands.findLast((band) => band.node === "pve1");
  if (node === undefined || last === undefined) throw new Error("the fixture has nodes and bands");
  Object.assign(node, { booting: true, corosync: null, quorum: null });
  last.to = 150 * SEC;
  snapshot.bands.push(
    { ...last, from: 150 * SEC, to: 155 * SEC, state: "changing", ringId: "", members: [], count: 7 },
    { ...last, from: 155 * SEC, to: null, state: "booting", ringId: "", members: [], quorate: false, letter: "" },
  );
  lab = await openFake(page, snapshot);
  const lane = timeline(page).locator('[data-lane="pve1"]');
  await expect(lane.locator('[data-state="booting"]')).toHaveText("booting");
  await expect(lane.locator('[data-state="changing"]')).toHaveText(/7/);
  await expect(lane.locator('[data-state="changing"]')).toHaveAttribute("title", /7 changes/);
  await expect(lane).not.toContainText("stopped");
  lab.history.merged = 41;
  lab.history.marksFrom = 60 * SEC;
  lab.show({ ...snapshot, history: { ...snapshot.history, changes: 9 } });
  await expect(head(page)).toContainText("41 older changes drawn as stretches");
  await expect(head(page)).toContainText("acts before 00:01:00 no longer kept");
});

const task = (id: number, more: Partial<Task>): Task => ({
  id,
  revision: id,
  instant: id * SEC,
  by: "page",
  at: null,
  kind: "act",
  line: "link cut pve3:net0",
  said: "cut cable pve3:net0",
  result: "done",
  status: null,
  nodes: ["pve3"],
  ...more,
});

test("the task log says who did what and what came of it, and is filtered by node, kind and text", async ({ page }) => {
  const snapshot = healthy();
  lab = await openFake(page, snapshot);
  lab.history.tasks = [
    task(1, {}),
    task(2, { by: "command-line", line: "node kill pve2", nodes: ["pve2"] }),
    task(3, { line: "link cut pve9:net0", result: "refused", said: "unknown node pve9", nodes: [] }),
    task(4, { by: "terminal", at: "pve1", kind: "command", line: "systemctl stop corosync", status: 0, said: "", nodes: ["pve1"] }),
    task(5, { by: "terminal", at: "pve1", kind: "command", line: "false", status: 1, said: "", nodes: ["pve1"] }),
  ];
  lab.show({ ...snapshot, history: { changes: 1, tasks: 5, begins: 0 } });
  await page.getByRole("tab", { name: "Actions" }).click();
  const log = page.getByRole("log", { name: "Actions" });
  await expect(log.locator(".line")).toHaveCount(5);
  await expect(log.locator(".line").nth(0)).toContainText("terminal of pve1 false");
  await expect(log.locator(".line").nth(0)).toContainText("exit status 1");
  await expect(log.locator(".line").nth(2)).toContainText("refused: unknown node pve9");
  await expect(log.locator(".line").nth(3)).toContainText("command line");
  await page.getByRole("combobox", { name: "Node" }).selectOption("pve1");
  await expect(log.locator(".line")).toHaveCount(2);
  await page.getByRole("combobox", { name: "Node" }).selectOption("every node");
  await page.getByRole("combobox", { name: "Kind" }).selectOption("faults and power");
  await expect(log.locator(".line")).toHaveCount(3);
  await page.getByRole("searchbox", { name: "Text" }).fill("refused");
  await expect(log.locator(".line")).toHaveCount(1);
  // Its instant is a way to the timeline.
  await page.getByRole("searchbox", { name: "Text" }).fill("kill");
  await log.getByRole("button", { name: "00:00:02.000" }).click();
  await expect(head(page)).toContainText("00:00:00 – 00:00:40");
});

test("the time bar has nothing to pull at, and paused is a word and a frame", async ({ page }) => {
  const snapshot = healthy();
  lab = await openFake(page, snapshot);
  const rail = page.getByRole("img", { name: /^The run so far/ });
  await expect(rail).toBeVisible();
  await expect(rail.locator(".head")).toHaveCount(0);
  await expect(rail).not.toHaveCSS("cursor", /grab|pointer|resize/);
  await expect(page.getByRole("banner").getByText("Paused", { exact: true })).toHaveCount(0);
  lab.show({ ...snapshot, time: { ...snapshot.time, paused: true } });
  await expect(page.getByRole("banner").getByText("Paused", { exact: true })).toBeVisible();
  const frame = await page.locator("main").evaluate((main) => getComputedStyle(main, "::after").borderTopWidth);
  expect(frame).toBe("3px");
});

test("what takes the focus does not scroll the page", async ({ page }) => {
  await openBusy(page);
  await page.evaluate(() => {
    const main = document.querySelector("main");
    main?.scrollTo(20, 20);
    for (const button of document.querySelectorAll<HTMLElement>("main button")) button.focus();
  });
  expect(await page.locator("main").evaluate((main) => [main.scrollLeft, main.scrollTop])).toEqual([0, 0]);
});

test("acts and typed commands of a real lab are flags and entries", async ({ page }) => {
  const real = await realLab({ nodes: 2, links: 1, speed: 10 });
  try {
    await page.goto(real.url);
    await thing(page, "cable:pve2:net0").focus();
    await page.keyboard.press("x");
    await page.keyboard.press("Control+1");
    await expect(terminalOf(page, "pve1")).toContainText("root@pve1:~#");
    await expect(page.locator(".xterm-helper-textarea:focus")).toHaveCount(1);
    await page.keyboard.type("systemctl stop corosync");
    await expect(terminalOf(page, "pve1")).toContainText("systemctl stop corosync");
    await page.keyboard.press("Enter");
    await real.quorate("exec", "pve2", "false").catch(() => undefined);
    await page.getByRole("tab", { name: "Actions" }).click();
    const log = page.getByRole("log", { name: "Actions" });
    await expect(log.locator(".line", { hasText: "link cut pve2:net0" })).toContainText("page");
    await expect(log.locator(".line", { hasText: "systemctl stop corosync" })).toContainText("terminal of pve1");
    await expect(log.locator(".line", { hasText: "false" })).toContainText("exit status 1");
    await timeline(page).getByRole("button", { name: "All" }).click();
    await expect(timeline(page).getByRole("button", { name: /systemctl stop corosync/ })).toBeVisible();
  } finally {
    await real.end();
  }
});
