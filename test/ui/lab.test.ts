/** A person in front of a real lab: cuts by mouse and by key, reads the votes, asks in a terminal, heals. */
import { expect, test } from "@playwright/test";
import { terminalOf, thing, votes } from "./driving.ts";
import { realLab, type RealLab } from "./real-lab.ts";

let lab: RealLab;
test.beforeAll(async () => {
  lab = await realLab({ nodes: 3, links: 2, speed: 4 });
});
test.afterAll(async () => {
  await lab.end();
});

test("the page opens on a running lab, drawn, with pvecm status answered", async ({ page }) => {
  await page.goto(lab.url);
  await expect(thing(page, "node:pve1")).toHaveAccessibleName(/pve1, node ID 1, ring representative, quorate, 3 of 3 votes/);
  await expect(votes(page)).toContainText("3 of 3 votes, 2 needed, quorate; may lose 1 more");
  await expect(terminalOf(page, "pve1")).toContainText("Quorum provider:  corosync_votequorum");
  await expect(page.getByRole("complementary", { name: "Hint" })).toContainText("Pull a cable");
});

test("cut one cable by mouse and one by key; the votes split; ask; heal", async ({ page }) => {
  await page.goto(lab.url);
  // By mouse: a drag across pve3's upper cable.
  const upper = thing(page, "cable:pve3:net0");
  await expect(upper).toHaveAttribute("data-state", "carrying");
  const box = await upper.boundingBox();
  if (box === null) throw new Error("the cable has no place");
  const y = box.y + box.height * 0.5;
  await page.mouse.move(box.x - 30, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, y, { steps: 3 });
  await page.mouse.move(box.x + box.width + 30, y, { steps: 3 });
  await page.mouse.up();
  await expect(upper).toHaveAttribute("data-state", "cut");
  // By key: the lower cable has the focus, X cuts it.
  const lower = thing(page, "cable:pve3:net1");
  await lower.focus();
  await page.keyboard.press("x");
  await expect(lower).toHaveAttribute("data-state", "cut");

  // One token timeout and one consensus timeout later there are two rings, and two bars.
  await expect(votes(page).getByRole("img")).toHaveCount(2);
  await expect(votes(page).getByRole("img").nth(0)).toHaveAccessibleName("2 of 3 votes, quorum at 2");
  await expect(votes(page).getByRole("img").nth(1)).toHaveAccessibleName("1 of 3 votes, quorum at 2");
  await expect(votes(page)).toContainText("2 of 3 votes, 2 needed, quorate; may lose 0 more");
  await expect(votes(page)).toContainText("1 of 3 votes, 2 needed, not quorate");

  // The node itself says the same. Ctrl+` is the terminal of the selected node.
  await page.keyboard.press("Control+`");
  await expect(terminalOf(page, "pve3")).toContainText("root@pve3:~#");
  await page.keyboard.type("pvecm status | grep Quorate\n");
  await expect(terminalOf(page, "pve3")).toContainText(/Quorate:\s+No/);

  // Why, from the lab's own record: the acts, what corosync noticed, the votes; then heal.
  const hint = page.getByRole("complementary", { name: "Hint" });
  await expect(hint).toContainText("Why is pve3 not quorate?");
  await hint.getByRole("button", { name: "Why?" }).click();
  await expect(hint).toContainText("The cables pve3:net0 and pve3:net1 are cut.");
  await expect(hint).toContainText("host: host: 3 has no active links");
  await expect(hint).toContainText("pve3 has 1 of 3 votes and needs 2: not quorate.");
  await hint.getByRole("button", { name: "Heal its cables" }).click();
  await expect(votes(page).getByRole("img")).toHaveCount(1);
  await expect(votes(page)).toContainText("3 of 3 votes, 2 needed, quorate; may lose 1 more");
  await expect(lower).toHaveAttribute("data-state", "idle");
});

test("what the page does the command line sees, and the other way round", async ({ page }) => {
  await page.goto(lab.url);
  await expect(thing(page, "node:pve2")).toHaveAccessibleName(/quorate/);
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible();
  expect(JSON.parse(await lab.quorate("time", "--json"))).toMatchObject({ paused: true });
  const clock = page.locator(".clock");
  const before = await clock.textContent();
  await page.getByRole("button", { name: "One event" }).click();
  await lab.quorate("node", "kill", "pve2", "--after", "3");
  await page.getByRole("button", { name: "Skip to the next change" }).click();
  await expect(page.getByText(/skipped to: /)).toBeVisible();
  await expect(clock).not.toHaveText(before ?? "");
  await lab.quorate("resume");
  await expect(page.getByRole("button", { name: "Pause", exact: true })).toBeVisible();

  await expect(thing(page, "node:pve2")).toHaveAccessibleName(/powered off/);
  await expect(votes(page)).toContainText("2 of 3 votes, 2 needed, quorate; may lose 0 more");
  await thing(page, "node:pve2").focus();
  await page.keyboard.press("p");
  await expect(votes(page)).toContainText("3 of 3 votes, 2 needed, quorate; may lose 1 more");
});

test("a node's corosync.conf is read, checked as one types, and exported", async ({ page }) => {
  await page.goto(lab.url);
  await page.getByRole("button", { name: "Configure" }).click();
  const editor = page.getByRole("textbox", { name: "corosync.conf" });
  await expect(editor).toContainText("cluster_name: lab");
  await editor.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("totem {");
  await expect(page.getByRole("complementary", { name: "Findings" })).toContainText(/error, line \d+, column \d+/);
  await page.keyboard.press("Control+Shift+E");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "corosync.conf", exact: true })).toBeVisible();
  // A new lab has placeholder addresses: nothing is saved before somebody has said that they saw it.
  await expect(dialog.getByRole("button", { name: /^Save .*corosync\.conf$/ })).toBeDisabled();
  await dialog.getByRole("checkbox").first().check();
  for (const warning of await dialog.getByRole("checkbox").all()) await warning.check();
  const saved = page.waitForEvent("download");
  await dialog.getByRole("button", { name: /^Save .*corosync\.conf$/ }).click();
  expect((await saved).suggestedFilename()).toBe("corosync.conf");
});
