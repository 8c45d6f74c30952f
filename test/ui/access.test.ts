/** Everybody can use it: no finding of axe in any theme, everything by keyboard, narrow windows, less motion. */
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { openFake, show, terminalOf, thing } from "./driving.ts";
import { clock } from "../../src/renderer/src/format.ts";
import type { FakeLab } from "./fake-lab.ts";
import { broken, empty, gather, healthy, optioned, partition, sixteenWitnessed, witnessedSplit } from "./fixtures.ts";

// Each test has a lab of its own.
test.describe.configure({ mode: "parallel" });

let lab: FakeLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

/** Colours are judged when they have settled: nothing fades or moves any more, but what does so for ever. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // What has just been drawn begins to move with the next frame.
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    const ends = (a: Animation): boolean => Number.isFinite(Number(a.effect?.getComputedTiming().endTime));
    await Promise.allSettled(
      document
        .getAnimations()
        .filter(ends)
        .map((a) => a.finished),
    );
  });
}

/** What axe finds by all its rules, or by those on colours, one line each; an empty list is a pass that says where to look when it is not. */
async function violations(page: Page, rules: "all" | "colours" = "all"): Promise<string[]> {
  await settled(page);
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  const { violations: found } = await (rules === "all" ? axe : axe.withRules(["color-contrast", "link-in-text-block"])).analyze();
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${help}: ${target.join(" ")} ${any[0]?.message ?? ""}`),
  );
}

const states = { empty, witnessedSplit, optioned, partition, gather, broken };
for (const theme of ["light", "dark", "contrast"] as const)
  test(`axe finds nothing on the canvas, in the bars, dock and inspector: ${theme}`, async ({ page }) => {
    lab = await openFake(page, healthy(), { theme });
    // A theme is colours: what is drawn has the same names, roles and order in each.
    const rules = theme === "light" ? "all" : "colours";
    for (const [name, make] of Object.entries(states)) {
      lab.show(make());
      await expect(page.locator(".clock")).toHaveText(clock(make().time.instant));
      expect(await violations(page, rules), name).toEqual([]);
    }
    const inspector = page.getByRole("complementary", { name: "Inspector" });
    await inspector.getByRole("tab", { name: "membership" }).click();
    for (const tab of ["Journal", /^Problems/]) {
      await page.getByRole("region", { name: "Dock" }).getByRole("tab", { name: tab }).click();
      expect(await violations(page, rules), String(tab)).toEqual([]);
    }
  });

for (const theme of ["dark", "contrast"] as const)
  test(`axe finds nothing in what opens: palette, export, menu, configuration: ${theme}`, async ({ page }) => {
    lab = await openFake(page, partition(), { theme });
    const rules = theme === "dark" ? "all" : "colours";
    for (const open of ["F1", "Control+Shift+E"]) {
      await thing(page, "node:pve1").focus();
      await page.keyboard.press(open);
      await expect(page.getByRole("dialog")).toBeVisible();
      expect(await violations(page, rules), open).toEqual([]);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
    }
    await thing(page, "cable:pve3:net0").click({ button: "right", force: true });
    await expect(page.getByRole("menu")).toBeVisible();
    expect(await violations(page, rules), "menu").toEqual([]);
    await page.keyboard.press("Escape");
    for (const [key, open] of Object.entries({ a: "menu", F2: "dialog" } as const)) {
      await thing(page, "node:pve1").focus();
      await page.keyboard.press(key);
      await expect(page.getByRole(open)).toBeVisible();
      expect(await violations(page, rules), key).toEqual([]);
      await page.keyboard.press("Escape");
      await expect(page.getByRole(open)).toHaveCount(0);
    }
    await page.getByRole("button", { name: "What-if" }).click();
    await page.getByRole("group", { name: "wait_for_all" }).getByRole("button", { name: "on" }).click();
    await expect(page.getByText("With wait_for_all: 1")).toBeVisible();
    expect(await violations(page, rules), "what-if").toEqual([]);
    await page.getByRole("button", { name: "Configure" }).click();
    await expect(page.getByRole("textbox", { name: "corosync.conf" })).toContainText("totem");
    expect(await violations(page, rules), "configuration").toEqual([]);
  });

test("axe finds nothing in the circle, the keys, and every tab of the inspector", async ({ page }) => {
  lab = await openFake(page, sixteenWitnessed());
  expect(await violations(page), "circle").toEqual([]);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(await violations(page), "keys").toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Inspect", exact: true }).click();
  for (const tab of ["links", "token", "quorum", "journal"]) {
    await page.getByRole("complementary", { name: "Inspector" }).getByRole("tab", { name: tab }).click();
    expect(await violations(page), tab).toEqual([]);
  }
});

test("arrows move the selection, Enter inspects, F6 goes round the regions", async ({ page }) => {
  lab = await openFake(page, healthy());
  await thing(page, "node:pve1").focus();
  await page.keyboard.press("ArrowRight");
  await expect(thing(page, "node:pve2")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("ArrowUp");
  await expect(thing(page, "cable:pve2:net0")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("ArrowUp");
  await expect(thing(page, "switch:net0")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("ArrowDown");
  await expect(thing(page, "switch:net0")).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.press("Enter");
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest("[data-region]")?.getAttribute("data-region")))
    .toBe("inspector");
  const seen = new Set<string>();
  for (let press = 0; press < 8; press++) {
    await page.keyboard.press("F6");
    seen.add((await page.evaluate(() => document.activeElement?.closest("[data-region]")?.getAttribute("data-region"))) ?? "nowhere");
  }
  expect([...seen].sort()).toEqual(expect.arrayContaining(["canvas", "dock", "inspector", "status", "time", "views"]));
});

test("faults by key: cut, power, kill, stall; Space pauses; brackets change the speed", async ({ page }) => {
  lab = await openFake(page, healthy());
  const expectLast = async (wanted: object): Promise<void> => expect.poll(() => lab?.lastAsked()).toEqual(wanted);
  await thing(page, "node:pve3").focus();
  await page.keyboard.press("p");
  await expectLast({ op: "act", line: "node stop pve3" });
  await page.keyboard.press("k");
  await expectLast({ op: "act", line: "node kill pve3" });
  await page.keyboard.press("z");
  await expectLast({ op: "act", line: "node pause pve3" });
  await page.keyboard.press("Space");
  await expectLast({ op: "pause" });
  await page.keyboard.press(".");
  await expectLast({ op: "step", unit: "event", count: 1 });
  await page.keyboard.press("]");
  await expectLast({ op: "speed", speed: 2 });
  await page.keyboard.press("]");
  await expectLast({ op: "speed", speed: 5 });
  await thing(page, "switch:net1").focus();
  await page.keyboard.press("x");
  await expectLast({ op: "act", line: "switch off net1" });
});

test("in a terminal no single letter acts, and the page's own keys still do", async ({ page }) => {
  lab = await openFake(page, healthy());
  await thing(page, "node:pve2").focus();
  await page.keyboard.press("Control+`");
  await expect(terminalOf(page, "pve2")).toContainText("root@pve2:~#");
  await page.keyboard.type("xpkz. [] ?\n");
  await expect(terminalOf(page, "pve2")).toContainText("you typed: xpkz. [] ?");
  expect(lab.asked.filter(({ op }) => op === "act" || op === "pause" || op === "step" || op === "speed")).toEqual([]);
  await page.keyboard.press("F1");
  await expect(page.getByRole("dialog")).toBeVisible();
});

test("the palette runs any fault by its name", async ({ page }) => {
  lab = await openFake(page, healthy());
  await page.keyboard.press("F1");
  await expect(page.getByRole("combobox", { name: "Action" })).toBeFocused();
  await page.keyboard.type("switch net1 off");
  await page.keyboard.press("Enter");
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "switch off net1" });
});

test("narrow window and 200 % zoom: inspector and dock lie over the canvas, nothing is lost", async ({ page }) => {
  await page.setViewportSize({ width: 640, height: 400 });
  lab = await openFake(page, partition());
  await expect(page.getByRole("complementary", { name: "Inspector" })).toHaveCount(0);
  await page.getByRole("button", { name: "Inspect", exact: true }).click();
  await expect(page.getByRole("complementary", { name: "Inspector" })).toContainText("Membership");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("complementary", { name: "Inspector" })).toHaveCount(0);
  await page.getByRole("button", { name: "Dock", exact: true }).click();
  await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
  // Many terminals are scrolled; what stands after them stays.
  await show(page, lab, healthy(5));
  const tabs = page.getByRole("tablist", { name: "Terminals, journal, problems" }).getByRole("tab");
  await expect(tabs.filter({ hasText: "pve" })).toHaveCount(5);
  for (const name of ["Journal", /^Problems/, "Actions"]) {
    const tab = tabs.filter({ hasText: name });
    const seen = await tab.evaluate((element) => {
      const box = element.getBoundingClientRect();
      const ends = [box.left + 3, box.right - 3].map((x) => document.elementFromPoint(x, box.top + box.height / 2));
      return ends.every((one) => one !== null && element.contains(one));
    });
    expect(seen, String(name)).toBe(true);
    await tab.click();
    await expect(tab).toHaveAttribute("aria-selected", "true");
  }
  // The one that is opened comes into sight.
  await thing(page, "node:pve5").focus();
  await page.keyboard.press("Control+5");
  const last = tabs.filter({ hasText: "pve5" });
  await expect(last).toHaveAttribute("aria-selected", "true");
  await expect(last).toBeInViewport({ ratio: 0.9 });
});

test("the canvas as a table says the same", async ({ page }) => {
  lab = await openFake(page, partition());
  await page.getByRole("button", { name: "As a table" }).click();
  const row = page.getByRole("row", { name: /Select pve3/ });
  await expect(row).toContainText("not quorate");
  await expect(row).toContainText("cut");
  await expect(row).toContainText("in cut");
  await page.getByRole("button", { name: "As a drawing" }).click();
  await expect(thing(page, "node:pve3")).toBeVisible();
});

test("with reduced motion the token steps without travelling", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const slow = healthy();
  slow.time.speed = 0.01;
  lab = await openFake(page, slow);
  lab.emit({
    event: "trace",
    events: [{ instant: 1, node: "pve1", trace: { what: "token", from: 1, to: 2, seq: 7, retransmits: 0, ring: "1.12" } }],
  });
  await expect(page.getByText("seq 7")).toBeVisible();
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--motion-state").trim())).toMatch(/^0m?s$/);
});

test("theme and layout are remembered", async ({ page }) => {
  lab = await openFake(page, healthy());
  await page.keyboard.press("F1");
  await expect(page.getByRole("combobox", { name: "Action" })).toBeFocused();
  await page.keyboard.type("theme: dark");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.getByRole("button", { name: "Hide the inspector" }).click();
  // The start script of these tests sets the theme anew; what the page itself remembered is the layout.
  await page.reload();
  await expect(page.getByRole("group", { name: /^Topology/ })).toBeVisible();
  await expect(page.getByRole("complementary", { name: "Inspector" })).toHaveCount(0);
});
