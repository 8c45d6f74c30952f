/** The page can do what the command line can; and its palette, menus and keys do what a person expects of them. */
import { readFile } from "node:fs/promises";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { openFake, thing } from "./driving.ts";
import type { FakeLab } from "./fake-lab.ts";
import { healthy } from "./fixtures.ts";

let lab: FakeLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

async function palette(page: Page, typed: string): Promise<Locator> {
  await page.keyboard.press("F1");
  await page.getByRole("combobox", { name: "Action" }).fill(typed);
  return page.getByRole("option");
}
const run = async (page: Page, typed: string): Promise<void> => {
  await palette(page, typed);
  await page.keyboard.press("Enter");
};
const asked = (op: string): unknown[] => (lab?.asked ?? []).filter((request) => request.op === op);
const lastAct = (): string | undefined => (lab?.asked ?? []).flatMap((request) => (request.op === "act" ? [request.line] : [])).at(-1);

test("snapshots: take one, roll back to one when asked twice", async ({ page }) => {
  lab = await openFake(page, healthy());
  await run(page, "snapshots");
  const dialog = page.getByRole("dialog", { name: "Snapshots" });
  await dialog.getByRole("textbox", { name: "Name" }).fill("before");
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("listitem")).toHaveCount(2);
  expect(asked("snapshot-save")).toEqual([{ op: "snapshot-save", name: "before" }]);
  await dialog.getByRole("button", { name: "Roll back: calm" }).click();
  expect(asked("rollback")).toEqual([]);
  await expect(dialog).toContainText("What came after 00:02:00.000 is forgotten; this cannot be undone.");
  await dialog.getByRole("button", { name: "Roll back", exact: true }).click();
  await expect(dialog).toHaveCount(0);
  expect(asked("rollback")).toEqual([{ op: "rollback", name: "calm" }]);
});

test("a record is replayed and a scenario run, and what came of it is said", async ({ page }) => {
  lab = await openFake(page, healthy());
  await run(page, "replay a record");
  const replay = page.getByRole("dialog", { name: "Replay a record" });
  await replay.getByLabel("Record").setInputFiles({ name: "r.record", mimeType: "text/plain", buffer: Buffer.from("record\n") });
  await replay.getByRole("button", { name: "Replay" }).click();
  await expect(replay.getByRole("status")).toContainText("Equal: 12 digests compared, to 00:00:12.000");
  expect(asked("replay")).toEqual([{ op: "replay", text: "record\n", name: "r.record" }]);
  await page.keyboard.press("Escape");
  await run(page, "run a scenario");
  const scenario = page.getByRole("dialog", { name: "Run a scenario" });
  await scenario
    .getByLabel("Scenario or lab file")
    .setInputFiles({ name: "s.yaml", mimeType: "text/yaml", buffer: Buffer.from("quorate: 1\n") });
  await scenario.getByRole("button", { name: "Run" }).click();
  await expect(scenario.getByRole("status")).toContainText("1 of 2 steps failed");
  await expect(scenario.getByRole("listitem").nth(1)).toContainText("expected: 1 membergot: 2 members");
});

test("a partition of free choice, shown as the command line has it", async ({ page }) => {
  lab = await openFake(page, healthy());
  await run(page, "partition: choose");
  const dialog = page.getByRole("dialog", { name: "Partition" });
  await dialog.getByRole("radio", { name: "pve1: none" }).check();
  await dialog.getByRole("radio", { name: "pve2: Group 1" }).check();
  await dialog.getByRole("radio", { name: "pve3: Group 3" }).check();
  await expect(dialog).toContainText("quorate partition pve2 pve3");
  await dialog.getByRole("button", { name: "Partition" }).click();
  await expect(dialog).toHaveCount(0);
  expect(lastAct()).toBe("partition pve2 pve3");
});

test("a cable by numbers, one direction, one pair; and a port blocked and let through", async ({ page }) => {
  const snapshot = healthy();
  snapshot.faults.push({ kind: "block", node: "pve1", port: 22, proto: "tcp" });
  lab = await openFake(page, snapshot);
  await run(page, "set delay pve3:net0");
  const cable = page.getByRole("dialog", { name: "Cable pve3:net0" });
  await cable.getByLabel("Direction").selectOption("out of pve3");
  await cable.getByLabel("With").selectOption("pve1");
  await cable.getByLabel("Delay, ms").fill("120");
  await cable.getByLabel("Loss, %").fill("2,5");
  await expect(cable).toContainText("quorate link set pve3:net0 --to pve1 --direction out --delay 120 --loss 2.5");
  await page.keyboard.press("Enter");
  await expect(cable).toHaveCount(0);
  expect(lastAct()).toBe("link set pve3:net0 --to pve1 --direction out --delay 120 --loss 2.5");
  await run(page, "block a port of pve1");
  const block = page.getByRole("dialog", { name: "Block a port of pve1" });
  await block.getByLabel("Port").fill("70000");
  await expect(block.getByRole("button", { name: "Block", exact: true })).toBeDisabled();
  await block.getByRole("button", { name: "Unblock 22/tcp" }).click();
  await expect.poll(lastAct).toBe("unblock pve1 22/tcp");
  await block.getByLabel("Port").fill("3128");
  await block.getByLabel("Protocol").selectOption("tcp");
  await block.getByRole("button", { name: "Block", exact: true }).click();
  await expect.poll(lastAct).toBe("block pve1 3128/tcp");
});

test("the labs of this computer are listed; a new one and another one are asked for; this one is frozen when asked twice", async ({
  page,
}) => {
  lab = await openFake(page, healthy(), { refuse: ({ op }) => (op === "lab-open" ? "not here" : undefined) });
  await run(page, "labs of this computer");
  const labs = page.getByRole("dialog", { name: "Labs of this computer" });
  await expect(labs.getByRole("listitem")).toHaveCount(2);
  await expect(labs.getByRole("listitem").nth(0)).toContainText("this lab");
  await expect(labs.getByRole("listitem").nth(1)).toContainText("frozen");
  await labs.getByRole("button", { name: "Open /home/me/other" }).click();
  await expect(labs.getByRole("alert")).toHaveText("not here");
  await labs.getByRole("button", { name: "New lab" }).click();
  const made = page.getByRole("dialog", { name: "New lab" });
  await made.getByLabel("Nodes").fill("5");
  await made.getByLabel("Name").fill("five");
  await made.getByRole("button", { name: "Create and open" }).click();
  await expect(made.getByRole("alert")).toHaveText("not here");
  expect(asked("lab-open")).toEqual([
    { op: "lab-open", what: { kind: "known", dir: "/home/me/other" } },
    { op: "lab-open", what: { kind: "new", nodes: 5, networks: 2, clustered: true, qdevice: false, name: "five" } },
  ]);
  await page.keyboard.press("Escape");
  await run(page, "freeze this lab");
  expect(asked("down")).toEqual([]);
  await page.getByRole("dialog", { name: "Freeze this lab" }).getByRole("button", { name: "Freeze" }).click();
  await expect.poll(() => asked("down")).toEqual([{ op: "down" }]);
});

test("the lab menu shows the path as text and has a heading over the themes", async ({ page }) => {
  lab = await openFake(page, healthy());
  await page.getByRole("button", { name: /^Lab lab/ }).click();
  const menu = page.getByRole("menu");
  const path = menu.getByText("/home/me/.local/state/quorate/default");
  const box = await path.boundingBox();
  const around = await menu.boundingBox();
  if (box === null || around === null) throw new Error("the menu is not there");
  expect(box.width).toBeGreaterThan(100);
  expect(box.x).toBeGreaterThanOrEqual(around.x);
  expect(box.x + box.width).toBeLessThanOrEqual(around.x + around.width);
  await expect(path).toHaveCSS("background-color", "rgba(0, 0, 0, 0)");
  await expect(menu.getByRole("group", { name: "Theme" })).toBeVisible();
  // Its file is the person's own, not the selected node's.
  await menu.getByRole("menuitem", { name: "Load my cluster’s corosync.conf …" }).click();
  const findings = page.getByRole("complementary", { name: "Findings" });
  await expect(findings).toContainText("Choose a corosync.conf, drop it anywhere on this page");
  await page.getByRole("combobox", { name: "of" }).selectOption("pve2");
  await expect(findings).toContainText("As it is on pve2");
  await run(page, "load my cluster");
  await expect(findings).toContainText("Choose a corosync.conf, drop it anywhere on this page");
});

test("the palette: the plain act first, speeds only when typed, what was chosen lately on top", async ({ page }) => {
  lab = await openFake(page, healthy());
  let options = await palette(page, "cut pve3");
  await expect(options.first()).toHaveText(/Cut pve3:net0/);
  await expect(options.first()).not.toHaveText(/one way/);
  await page.getByRole("combobox", { name: "Action" }).fill("");
  await expect(options.filter({ hasText: /Speed ×|slow down to ×.*/ }).filter({ hasNotText: "run, and" })).toHaveCount(0);
  await page.getByRole("combobox", { name: "Action" }).fill("slow down to ×0.001");
  await expect(options.filter({ hasText: /slow down to ×0\.001/ })).toHaveCount(1);
  await page.getByRole("combobox", { name: "Action" }).fill("speed");
  await expect(options.filter({ hasText: /Speed ×0\.01/ })).toHaveCount(1);
  await page.getByRole("combobox", { name: "Action" }).fill("power cut pve2");
  await page.keyboard.press("Enter");
  await expect.poll(lastAct).toBe("node kill pve2");
  options = await palette(page, "");
  await expect(options.first()).toHaveText(/Recent.*Power cut: pve2/s);
  await page.getByRole("combobox", { name: "Action" }).fill("power");
  await expect(options.first()).toHaveText(/Power cut: pve2/);
});

test("Space pauses although a button was clicked with the mouse; by keyboard it presses the button", async ({ page }) => {
  lab = await openFake(page, healthy());
  await page.getByRole("button", { name: "Skip to the next change" }).click();
  await expect.poll(() => asked("skip").length).toBe(1);
  await page.keyboard.press("Space");
  await page.keyboard.press("Space");
  await expect.poll(() => asked("pause").length).toBe(2);
  expect(asked("skip").length).toBe(1);
  // Another button, by mouse again, in the dock and in the inspector.
  await page.getByRole("tab", { name: "Journal", exact: true }).click();
  await page.keyboard.press("Space");
  await expect.poll(() => asked("pause").length).toBe(3);
  // By keyboard: Tab comes to a button, Space and Enter press it.
  await page.getByRole("button", { name: "One window" }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await expect.poll(() => asked("skip").length).toBe(2);
  await page.keyboard.press("Enter");
  await expect.poll(() => asked("skip").length).toBe(3);
  expect(asked("pause").length).toBe(3);
});

test("the palette saves the record as a file", async ({ page }) => {
  lab = await openFake(page, healthy());
  const saved = page.waitForEvent("download");
  await run(page, "save the record");
  const file = await saved;
  expect(file.suggestedFilename()).toBe("lab-7f3a.record");
  expect(await readFile(await file.path(), "utf8")).toBe("record\n");
  expect(asked("record")).toEqual([{ op: "record" }]);
});

test("acts have the field's names", async ({ page }) => {
  lab = await openFake(page, healthy());
  await thing(page, "node:pve2").click({ button: "right" });
  const menu = page.getByRole("menu", { name: "Actions" });
  await expect(menu.getByRole("menuitem", { name: /Power cut: pve2/ })).toBeVisible();
  await expect(menu.getByRole("menuitem", { name: /Remove pve2/ })).toBeVisible();
  await expect(menu).not.toContainText(/Take .* away|run on|power cord/);
});
