/** Time as the page shows it: speeds, slow on change, what is awaited, one event and what comes next, and the token that is where it is. */
import { expect, test, type Page } from "@playwright/test";
import type { LabSnapshot } from "../../src/main/lab/api.ts";
import { boxOf, openFake, thing } from "./driving.ts";
import type { FakeLab } from "./fake-lab.ts";
import { gather, healthy } from "./fixtures.ts";
import { realLab, type RealLab } from "./real-lab.ts";

test.describe.configure({ mode: "parallel" });

let lab: FakeLab | undefined;
let real: RealLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  await real?.end();
  [lab, real] = [undefined, undefined];
});

function slowed(speed = 0.01): LabSnapshot {
  const snapshot = healthy();
  snapshot.time = { ...snapshot.time, speed };
  return snapshot;
}

const asked = (): unknown => lab?.asked.findLast(({ op }) => op !== "upcoming" && op !== "terminal-drawn");

test("every speed from ×0.001 on stands in the menu, the one in force is marked, and slow ones pass over what shows nothing", async ({
  page,
}) => {
  lab = await openFake(page, slowed(0.02));
  await page.getByRole("button", { name: "Speed ×0.02" }).click();
  const items = page.getByRole("menuitemradio");
  await expect(items.filter({ hasText: /^×0\.001$/ }).first()).toBeVisible();
  await expect(page.getByRole("group", { name: "Speed" }).getByRole("menuitemradio", { checked: true })).toHaveText("×0.02");
  await items
    .filter({ hasText: /^×0\.001$/ })
    .first()
    .click();
  await expect.poll(asked).toEqual({ op: "speed", speed: 0.001, skipIdle: true });
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Faster" }).click();
  await expect.poll(asked).toMatchObject({ op: "speed", speed: 0.002 });
});

test("slow on change: by its button, its key and the palette; the bar says when it has slowed down", async ({ page }) => {
  lab = await openFake(page, healthy());
  const button = page.getByRole("button", { name: "Slow on change" });
  await expect(button).toHaveAttribute("aria-pressed", "false");
  await button.click();
  await expect.poll(asked).toEqual({ op: "slow-motion", onChange: true, speed: 0.01 });
  const on = healthy();
  on.motion = { ...on.motion, onChange: true, eased: true };
  lab.show(on);
  await expect(button).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByText("slowed to ×0.01")).toBeVisible();
  await thing(page, "node:pve1").focus();
  await page.keyboard.press("s");
  await expect.poll(asked).toEqual({ op: "slow-motion", onChange: false, speed: 0.01 });
  await page.keyboard.press("F1");
  await expect(page.getByRole("combobox", { name: "Action" })).toBeFocused();
  await page.keyboard.type("slow down to ×0.001");
  await page.keyboard.press("Enter");
  await expect.poll(asked).toEqual({ op: "slow-motion", onChange: true, speed: 0.001 });
});

test("what is awaited counts down in the line and at the node: pongs of a link, the token, consensus", async ({ page }) => {
  const coming = slowed();
  const [first, second, third] = coming.nodes;
  const link = first?.corosync?.links.find(({ to }) => to === 3);
  if (link !== undefined) Object.assign(link, { connected: false, active: false, pongs: 2 });
  const { instant } = coming.time;
  if (second?.corosync) second.corosync.timers = { token: instant + 1_925_000, consensus: null, join: null };
  if (third?.corosync) {
    third.corosync.state = "gather";
    third.corosync.timers = { token: null, consensus: instant + 2_950_000, join: instant + 10_000 };
  }
  lab = await openFake(page, coming);
  const line = page.getByRole("region", { name: "What happens now and next" }).getByRole("status");
  await expect(line).toHaveText("pve1: link 0 to pve3: pongs 2 of 3 · pve2: token 1.2 of 3.1 s · pve3: consensus 0.8 of 3.8 s");
  await expect(page.locator('[data-awaited="node:pve1"]')).toHaveText("pongs 2 of 3");
  await expect(page.locator('[data-awaited="node:pve2"]')).toHaveText("token 1.2 of 3.1 s");
  await expect(page.locator('[data-awaited="node:pve3"]')).toHaveText("consensus 0.8 of 3.8 s");
  // At speed the line is not there: nobody could read it.
  lab.show(healthy());
  await expect(line).toHaveCount(0);
});

test("one event says what happened and lights it; what can happen next stands beside; a packet is opened and dropped", async ({ page }) => {
  lab = await openFake(page, gather());
  await thing(page, "node:pve1").focus();
  await page.keyboard.press(".");
  const region = page.getByRole("region", { name: "What happens now and next" });
  await expect(region.getByRole("status")).toHaveText("pve1 → pve2: token seq 15; token passed on to pve3");
  await expect(page.locator("rect.touched")).toHaveCount(1);
  await expect(page.locator("path.touched")).toHaveCount(2);
  await region.getByRole("button", { name: "Next" }).click();
  const next = page.getByRole("list", { name: "What can happen next" });
  await expect(next.getByRole("listitem")).toHaveText([/in 0\.2 ms\s*token seq 15: pve2 → pve3/, /in 812 ms\s*token timer of pve3/]);
  await next.getByRole("button", { name: /^token seq 15/ }).click();
  await expect(next.getByRole("term")).toHaveText(["ring_id", "seq", "aru", "rtr_list", "link", "size"]);
  await expect(next.getByRole("definition").last()).toHaveText("104 bytes");
  await next.getByRole("button", { name: "Drop token seq 15: pve2 → pve3" }).click();
  await expect.poll(asked).toEqual({ op: "act", line: "packet drop pve2 pve3 net0 41" });
  // The list stays while one goes on by keys, and does not draw the focus back to itself.
  await expect(next.getByRole("button", { name: /^Drop token seq 15/ })).toBeFocused();
  await page.keyboard.press(".");
  await expect.poll(asked).toEqual({ op: "step", unit: "event", count: 1 });
  await thing(page, "node:pve1").focus();
  await page.waitForTimeout(100);
  await expect(thing(page, "node:pve1")).toBeFocused();
  await page.keyboard.press("Space");
  await expect.poll(asked).toEqual({ op: "resume" });
  await expect(next).toBeVisible();
});

/** The dot of the token; none where there is none. */
const dot = (page: Page): ReturnType<Page["locator"]> => page.locator("circle.token");

test("the token: no dot while it is lost, no rate until there is one, and what was passed over is said", async ({ page }) => {
  const forming = healthy();
  for (const token of forming.tokens) token.rate = null;
  lab = await openFake(page, forming);
  await expect(page.getByText("— rotations/s, rests at pve1")).toBeVisible();
  await expect(dot(page)).toHaveCount(1);
  const lost = healthy();
  lost.tokens = [{ ringId: "1.12", state: "lost", node: null, to: null, due: null, heldUntil: null, rate: null }];
  lab.show(lost);
  await expect(dot(page)).toHaveCount(0);
  await expect(page.getByText("no token: lost")).toBeVisible();
  await expect(page.getByText(/rotations\/s/)).toHaveCount(0);
  lab.show(slowed());
  await expect(page.getByText("held, 320 ms of 585 ms left")).toBeVisible();
  // Where it leaves its node, and nothing trails behind what does not move.
  await expect(dot(page)).toHaveCount(1);
  await expect(page.locator(".tail")).toHaveCount(0);
  const [at, node] = [await boxOf(dot(page)), await boxOf(thing(page, "node:pve1").locator(".body"))];
  expect(Math.abs(at.x + at.width / 2 - (node.x + node.width))).toBeLessThan(4);
  const skipped = slowed();
  skipped.tokens = [{ ringId: "1.12", state: "travels", node: "pve1", to: "pve2", due: 1, heldUntil: null, rate: 1.7 }];
  skipped.motion.skipped = { from: skipped.time.instant - 585_000, to: skipped.time.instant };
  lab.show(skipped);
  await expect(page.getByText("hold 585 ms skipped")).toBeVisible();
});

test("words of the token never lie over the name of a node", async ({ page }) => {
  lab = await openFake(page, slowed());
  for (const from of [1, 2, 3]) {
    const to = (from % 3) + 1;
    const trace = { what: "token", from, to, seq: 10 + from, retransmits: 0, ring: "1.12" };
    lab.emit({ event: "trace", events: [{ instant: from, node: `pve${from}`, trace }] });
    // Measured in the page: the text is gone after a second.
    const over = await page.evaluate(async (ring) => {
      const texts = (): Element | undefined =>
        [...document.querySelectorAll('[data-said="seq"]')].find(({ textContent }) => textContent === `seq ${ring}`);
      while (texts() === undefined) await new Promise(requestAnimationFrame);
      const box = texts()?.getBoundingClientRect() ?? new DOMRect();
      const names = [...document.querySelectorAll("svg.topo .t-name")];
      return names.flatMap((name) => {
        const other = name.getBoundingClientRect();
        const apart = box.right <= other.left || other.right <= box.left || box.bottom <= other.top || other.bottom <= box.top;
        return apart && box.width > 0 && other.width > 0 ? [] : [name.textContent];
      });
    }, 10 + from);
    expect(over, `seq of the token that leaves pve${from}`).toEqual([]);
  }
});

test("a real lab, idle in slow motion: the dot is never still for two seconds in twenty", async ({ page }) => {
  real = await realLab({ nodes: 3, links: 1, speed: 1 });
  await page.goto(real.url);
  await expect(page.getByText(/\d rotations\/s, rests at pve1/)).toBeVisible();
  await page.getByRole("button", { name: "Speed ×1" }).click();
  await page.getByRole("group", { name: "Speed" }).getByRole("menuitemradio", { name: "×0.01", exact: true }).click();
  await expect(page.getByRole("button", { name: "Speed ×0.01" })).toBeVisible();
  const longest = await page.evaluate(async () => {
    const began = performance.now();
    let [place, since, longest] = ["", began, 0];
    for (let now = began; now - began < 20_000; now = await new Promise<number>((frame) => requestAnimationFrame(frame))) {
      const token = document.querySelector("circle.token");
      const here = `${token?.getAttribute("cx") ?? ""} ${token?.getAttribute("cy") ?? ""}`;
      if (here !== place) [place, since] = [here, now];
      longest = Math.max(longest, now - since);
    }
    return longest;
  });
  expect(longest).toBeLessThan(2_000);
});

test("a real lab at ×1, slow on change: after healing, gather and commit are drawn and one ring forms within a minute", async ({
  page,
}) => {
  real = await realLab({ nodes: 3, links: 1, speed: 1 });
  await real.quorate("link", "cut", "pve3");
  await real.quorate("wait", "--node", "pve3", "--members", "1");
  await page.goto(real.url);
  await expect(page.getByRole("group", { name: /^Topology/ })).toHaveAccessibleName(/ring 3\..*: pve3/);
  await page.getByRole("button", { name: "Slow on change" }).click();
  await expect(page.getByRole("button", { name: "Slow on change" })).toHaveAttribute("aria-pressed", "true");
  // What is drawn on the way is over too soon to be asked for one after the other.
  await page.evaluate(() => {
    const seen = new Set<string>();
    Object.assign(window, { seen });
    new MutationObserver(() => {
      for (const text of document.querySelectorAll("svg.topo text")) {
        const word = /^(gather|commit|recovery)$/.exec(text.textContent?.trim() ?? "")?.[1];
        if (word !== undefined) seen.add(word);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  const began = Date.now();
  await real.quorate("heal");
  await expect(page.getByRole("group", { name: /^Topology/ })).toHaveAccessibleName(/ring \S+: pve1, pve2, pve3/, { timeout: 60_000 });
  expect(Date.now() - began).toBeLessThan(60_000);
  const seen = await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
  expect(seen).toEqual(expect.arrayContaining(["gather", "commit"]));
  // Pace is no part of a run: its record, played in one process as fast as can be, has the same digests.
  const record = test.info().outputPath("record.jsonl");
  await real.quorate("record", "--out", record);
  await real.quorate("replay", record, "--check");
});
