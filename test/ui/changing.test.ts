/** A person who changes the lab itself, and the quorum device, in front of a real one: by keyboard, each with its undo. */
import { expect, test, type Page } from "@playwright/test";
import { thing, votes } from "./driving.ts";
import { realLab, type RealLab } from "./real-lab.ts";

let lab: RealLab;
test.beforeAll(async () => {
  lab = await realLab({ nodes: 2, links: 2, speed: 10, qdevice: true });
});
test.afterAll(async () => {
  await lab.end();
});

const inspector = (page: Page) => page.getByRole("complementary", { name: "Inspector" });

test("the quorum device is drawn, cut by keyboard, and its vote goes and comes back", async ({ page }) => {
  await page.goto(lab.url);
  await expect(thing(page, "node:qnetd")).toHaveAccessibleName(/qnetd, qnetd host · ffsplit, 2 of 2 connected, vote to 1 2/);
  await expect(votes(page)).toContainText("3 of 3 votes (1 of the QDevice), 2 needed, quorate; may lose 1 more");
  await expect(votes(page).getByTitle("vote of the QDevice", { exact: true })).toBeVisible();
  await thing(page, "node:qnetd").focus();
  await expect(inspector(page)).toContainText("Vote given to");
  await page.keyboard.press("ArrowUp");
  await expect(thing(page, "cable:qnetd:net0")).toHaveAttribute("aria-pressed", "true");
  await thing(page, "cable:qnetd:net0").focus();
  await page.keyboard.press("x");
  await expect(votes(page)).toContainText("2 of 3 votes, 2 needed, quorate; may lose 0 more");
  await expect(votes(page)).toContainText("QDevice not reached");
  await expect(thing(page, "node:pve1")).toHaveAccessibleName(/no vote, QDevice/);
  await thing(page, "node:pve1").focus();
  await inspector(page).getByRole("tab", { name: "quorum" }).click();
  await expect(inspector(page)).toContainText(/gives no vote\s*NV/);
  await thing(page, "cable:qnetd:net0").focus();
  await page.keyboard.press("x");
  await expect(votes(page)).toContainText("3 of 3 votes (1 of the QDevice), 2 needed");
});

test("a machine is added, renamed and taken away by keyboard, and everything is undone", async ({ page }) => {
  await page.goto(lab.url);
  await thing(page, "node:pve1").focus();
  await page.keyboard.press("a");
  await expect(page.getByRole("menu", { name: "Add to the lab" }).getByRole("menuitem").first()).toBeFocused();
  await page.keyboard.press("Enter");
  const name = page.getByRole("textbox", { name: "Name" });
  await expect(name).toHaveValue("pve3");
  await name.fill("pve_3");
  await expect(page.getByRole("dialog")).toContainText("is no host name: letters, digits and hyphens are allowed");
  await name.fill("pve3");
  await page.keyboard.press("Enter");
  await expect(thing(page, "node:pve3")).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByRole("status").getByText(/pve3 added: net0 10\.0\.0\.\d+, net1 10\.10\.1\.\d+/)).toBeVisible();
  await thing(page, "node:pve3").focus();
  await page.keyboard.press("F2");
  await name.fill("spare");
  await page.keyboard.press("Enter");
  await expect(thing(page, "node:spare")).toBeVisible();
  await expect(thing(page, "node:pve3")).toHaveCount(0);
  await thing(page, "node:spare").focus();
  await page.keyboard.press("Delete");
  await expect(thing(page, "node:spare")).toHaveCount(0);
  for (const key of ["node:spare", "node:pve3"] as const) {
    await thing(page, "node:pve1").focus();
    await page.keyboard.press("Control+z");
    await expect(thing(page, key)).toBeVisible();
  }
  await page.keyboard.press("Control+z");
  await expect(thing(page, "node:pve3")).toHaveCount(0);
});

test("a network comes from the palette, gets a card, and goes with one undo each", async ({ page }) => {
  await page.goto(lab.url);
  await expect(thing(page, "switch:net1")).toBeVisible();
  await page.keyboard.press("F1");
  await expect(page.getByRole("combobox", { name: "Action" })).toBeFocused();
  await page.keyboard.type("add a network");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue("net2");
  await page.keyboard.press("Enter");
  await expect(thing(page, "switch:net2")).toBeVisible();
  await thing(page, "switch:net2").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Add an interface of pve1 on net2" }).click();
  await expect(thing(page, "cable:pve1:net2")).toHaveCount(1);
  await thing(page, "switch:net2").focus();
  await page.keyboard.press("Delete");
  await expect(thing(page, "switch:net2")).toHaveCount(0);
  await thing(page, "node:pve1").focus();
  await page.keyboard.press("Control+z");
  await expect(thing(page, "cable:pve1:net2")).toHaveCount(1);
  await page.keyboard.press("Control+z");
  await expect(thing(page, "cable:pve1:net2")).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect(thing(page, "switch:net2")).toHaveCount(0);
});

test("what-if answers for the lab as it is, and for a change beside it", async ({ page }) => {
  await page.goto(lab.url);
  await page.getByRole("button", { name: "What-if" }).click();
  const panel = page.getByRole("region", { name: "What-if" });
  await expect(panel.getByRole("region", { name: "The answer" })).toContainText(/You can(not)? lose/);
  await expect(
    panel.getByRole("region", { name: "Smallest failures that break quorum" }).getByRole("row", { name: /stops/ }).first(),
  ).toBeVisible();
  await expect(panel.getByRole("row", { name: /^0 1 1 0 0 0$/ })).toBeVisible();
  await panel.getByRole("group", { name: "wait_for_all" }).getByRole("button", { name: "on" }).focus();
  await page.keyboard.press("Enter");
  await expect(panel).toContainText("With wait_for_all: 1");
});

test("build from nothing: a lab of one's own in place of this one, and one undo brings this one back", async ({ page }) => {
  await page.goto(lab.url);
  await expect(thing(page, "node:qnetd")).toBeVisible();
  await page.keyboard.press("F1");
  await expect(page.getByRole("combobox", { name: "Action" })).toBeFocused();
  await page.keyboard.type("build from nothing");
  await page.keyboard.press("Enter");
  await page.getByRole("spinbutton", { name: "Machines" }).fill("3");
  await page.getByRole("spinbutton", { name: /Networks/ }).fill("1");
  await page.keyboard.press("Enter");
  await expect(thing(page, "node:pve3")).toBeVisible();
  await expect(thing(page, "node:qnetd")).toHaveCount(0);
  await expect(thing(page, "switch:net1")).toHaveCount(0);
  await expect(votes(page)).toContainText("3 of 3 votes, 2 needed, quorate; may lose 1 more");
  await thing(page, "node:pve1").focus();
  await page.keyboard.press("Control+z");
  await expect(thing(page, "node:qnetd")).toBeVisible();
  await expect(thing(page, "node:pve3")).toHaveCount(0);
  await expect(votes(page)).toContainText("3 of 3 votes (1 of the QDevice), 2 needed, quorate; may lose 1 more");
});
