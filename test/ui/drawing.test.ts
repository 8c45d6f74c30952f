/** The drawing for real clusters: many nodes, long names, rings that come and go, panes that keep their sizes. From written snapshots. */
import { expect, test, type Locator, type Page } from "@playwright/test";
import type { LabSnapshot } from "../../src/main/lab/api.ts";
import { boxOf, errorsOf, meet, openFake, show, thing, votes } from "./driving.ts";
import type { FakeLab } from "./fake-lab.ts";
import { gather, gathering, harmed, healthy, installing, partition, realNames, renamed, resumed, split, stalled } from "./fixtures.ts";

test.describe.configure({ mode: "parallel" });

let lab: FakeLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

async function open(page: Page, snapshot: LabSnapshot): Promise<FakeLab> {
  lab = await openFake(page, snapshot);
  return lab;
}

const inspector = (page: Page): Locator => page.getByRole("complementary", { name: "Inspector" });
const status = (page: Page): Locator => page.getByRole("contentinfo", { name: "Status" });
const canvas = (page: Page): Locator => page.locator("[data-region=canvas]");
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test("an old and a new ring of one letter stand beside each other, and every snapshot after is drawn", async ({ page }) => {
  const errors = errorsOf(page);
  await open(page, stalled());
  await expect(thing(page, "node:pve2")).toHaveAccessibleName(/stalled since/);
  // Both rings claim the letter A: labels that were handed out badly must not break the drawing.
  if (lab !== undefined) await show(page, lab, resumed(3, 2, "A"));
  await expect(votes(page).getByRole("img")).toHaveCount(2);
  await expect(thing(page, "node:pve2")).toHaveAccessibleName(/quorate, 3 of 3 votes/);
  await expect(page.getByText("1.12", { exact: false }).first()).toBeVisible();
  await expect(status(page).getByTitle(/^ring 1\.1[26]: /)).toHaveCount(2);
  await expect(page.getByRole("alert")).toHaveCount(0);
  if (lab !== undefined) await show(page, lab, healthy());
  await expect(votes(page).getByRole("img")).toHaveCount(1);
  expect(errors).toEqual([]);
});

test("what cannot be drawn is told, and the next snapshot is drawn whole", async ({ page }) => {
  await open(page, healthy());
  const impossible = healthy();
  // Two machines of one name: no lab tells of such, and no drawing of it is right.
  const [first] = impossible.nodes;
  if (first !== undefined) impossible.nodes.push(first);
  lab?.show(impossible);
  await expect(page.getByRole("alert")).toContainText("The page could not draw something.");
  if (lab !== undefined) await show(page, lab, partition());
  await expect(votes(page).getByRole("img")).toHaveCount(2);
  await expect(thing(page, "cable:pve3:net0")).toHaveAccessibleName(/cut both ways/);
  await page.getByRole("alert").getByRole("button", { name: "Close" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("votes: a cell each up to eight, beyond that a number and a bar; the sentence keeps its width", async ({ page }) => {
  await open(page, healthy(8));
  await expect(votes(page).locator(".cell")).toHaveCount(8);
  for (const [n, groups] of [
    [2, [[1], [2]]],
    [
      5,
      [
        [1, 2, 3],
        [4, 5],
      ],
    ],
    [8, [upTo(1, 3), upTo(4, 6), [7], [8]]],
    [16, [upTo(1, 15), [16]]],
    [32, [upTo(1, 20), upTo(21, 32)]],
    [32, [upTo(1, 8), upTo(9, 16), upTo(17, 24), upTo(25, 32)]],
  ] as [number, number[][]][])
    for (const width of [1024, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      if (lab !== undefined) await show(page, lab, split(n, groups));
      await expect(votes(page).getByRole("img")).toHaveCount(groups.length);
      await expect(votes(page).locator(".cell")).toHaveCount(n > 8 ? 0 : n * groups.length);
      const sentence = await boxOf(
        votes(page)
          .getByText(/ votes, \d+ needed/)
          .first(),
      );
      expect(sentence.width, `${n} nodes at ${width}`).toBeGreaterThanOrEqual(190);
      expect((await boxOf(votes(page))).height, `${n} nodes at ${width}`).toBeLessThanOrEqual(134);
      for (const bar of await votes(page).getByRole("img").all()) expect((await boxOf(bar)).width).toBeGreaterThan(50);
      // Bars and cells lie inside their part, and beside each other.
      const misplaced = await votes(page).evaluate((element) => {
        const found: string[] = [];
        const outer = element.getBoundingClientRect();
        for (const part of element.querySelectorAll(".part")) {
          const box = part.getBoundingClientRect();
          if (box.left < outer.left - 1 || box.right > outer.right + 1) found.push("a part leaves the votes");
          const say = part.querySelector(".say")?.getBoundingClientRect();
          const bar = part.querySelector(".bar")?.getBoundingClientRect();
          const beside = say !== undefined && bar !== undefined && say.top < bar.bottom - 1 && bar.top < say.bottom - 1;
          if (beside && say.left < bar.right - 1 && bar.left < say.right - 1) found.push("a bar lies on its sentence");
          const pieces = [...part.querySelectorAll(".cell, .track, .bar")].map((one) => one.getBoundingClientRect());
          if (pieces.some(({ left, right }) => left < box.left - 1 || right > box.right + 1)) found.push("a bar leaves its part");
          const cells = [...part.querySelectorAll(".cell")].map((one) => one.getBoundingClientRect());
          for (const [at, cell] of cells.entries())
            if (cell.left < (cells[at - 1]?.right ?? -Infinity) - 0.5) found.push(`cell ${at} lies on the one before`);
        }
        return found;
      });
      expect(misplaced, `${n} nodes at ${width}`).toEqual([]);
    }
});

test("five nodes with real names: names tell them apart, and the card never takes the canvas", async ({ page }) => {
  await open(page, renamed(split(5, [[1, 2, 4, 5], [3]]), realNames));
  const names = await page.locator(".topo .machine .t-name").allTextContents();
  expect(new Set(names).size).toBe(5);
  expect(names.join(" ")).toContain("a01");
  const cells = await votes(page).locator(".cell:not(.away) b").allTextContents();
  expect(new Set(cells.slice(0, 4)).size).toBe(4);
  expect((await boxOf(page.locator(".topo"))).height).toBeGreaterThan(200);
  const before = await boxOf(page.locator(".topo"));
  await page.getByRole("button", { name: "Why?" }).click();
  await expect(page.getByRole("complementary", { name: "Hint" }).getByRole("listitem").first()).toBeVisible();
  expect(await boxOf(page.locator(".topo"))).toEqual(before);
  const card = await boxOf(page.getByRole("complementary", { name: "Hint" }));
  expect(card.width * card.height).toBeLessThan((before.width * before.height) / 3);
  await expect(thing(page, "node:hv-witness-long-name")).toHaveAccessibleName(/^hv-witness-long-name/);
  // Every column of the table of links can be read, in the inspector or by scrolling it.
  await thing(page, "node:hv-a01").click();
  const frame = await boxOf(inspector(page));
  for (const cell of [
    inspector(page).getByRole("columnheader", { name: "link 1" }).first(),
    inspector(page)
      .getByRole("row", { name: /hv-witness-long-name/ })
      .first()
      .getByRole("cell")
      .last(),
  ]) {
    const box = await boxOf(cell);
    expect(box.x + box.width).toBeLessThanOrEqual(frame.x + frame.width);
    const text = await cell.evaluate((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      return range.getBoundingClientRect().right;
    });
    expect(text).toBeLessThanOrEqual(frame.x + frame.width);
  }
});

test("the question of the hint and its buttons can be read beside the tools, and cover nothing of the drawing", async ({ page }) => {
  const opened = await open(page, healthy());
  const long = upTo(1, 32).map((id) => `hypervisor-rack-${String(id).padStart(2, "0")}-frankfurt-production`);
  const wrong: string[] = [];
  const states: Record<string, (n: number) => LabSnapshot> = {
    whole: (n) => healthy(n),
    "one away": (n) => split(n, [upTo(1, n - 1), [n]]),
    halves: (n) => split(n, [upTo(1, Math.ceil(n / 2)), upTo(Math.ceil(n / 2) + 1, n)]),
  };
  const left = (state: string, n: number, names: readonly string[] | undefined): boolean =>
    (state === "halves" && n < 16) || (state === "whole" && names === long && n < 32);
  for (const [state, made] of Object.entries(states))
    for (const [n, names] of [
      [3, undefined],
      [5, realNames],
      [5, long],
      [16, undefined],
      [32, undefined],
      [32, long],
    ] as const) {
      // Whole, and in halves, what a few nodes say is shorter than what others do.
      if (left(state, n, names)) continue;
      await show(page, opened, names === undefined ? made(n) : renamed(made(n), names));
      const small = names === long && state === "one away" ? [{ width: 640, height: 480 }] : [];
      for (const size of [...small, { width: 1280, height: 800 }]) {
        await page.setViewportSize(size);
        await expect(page.getByRole("complementary", { name: "Hint" })).toBeVisible();
        const said = await page.evaluate(async () => {
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const heading = document.querySelector(".hint h3");
          const text = [...(heading?.childNodes ?? [])].find((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== "");
          if (heading === null || text === undefined) return ["no question"];
          const all = text.textContent ?? "";
          const place = heading.getBoundingClientRect();
          const range = document.createRange();
          // A letter is read where nothing cuts it off, and nothing lies on it; an ellipsis takes the place of two.
          const read = [...all].filter((letter, index) => {
            range.setStart(text, index);
            range.setEnd(text, index + letter.length);
            const box = range.getBoundingClientRect();
            const above = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
            return box.right <= place.right + 1 && above !== null && heading.contains(above);
          }).length;
          const out: string[] = [];
          const seen = read === all.length ? read : read - 2;
          if (seen < Math.min(24, all.length)) out.push(`${seen} of "${all}" can be read`);
          if (seen < all.length && heading.getAttribute("title") !== all) out.push(`"${all}" is cut off, and no tooltip says it`);
          const drawing = document.querySelector(".topo")?.getBoundingClientRect();
          const buttons = [...document.querySelectorAll<HTMLElement>(".hint .btn, .canvas .tools .btn, .canvas .faults button")];
          for (const button of buttons.filter((one) => one.checkVisibility())) {
            const box = button.getBoundingClientRect();
            const name = (button.ariaLabel ?? button.textContent).trim();
            for (const x of [box.left + 3, box.right - 3])
              if (!button.contains(document.elementFromPoint(x, (box.top + box.bottom) / 2))) out.push(`"${name}" is covered or cut off`);
            if (document.querySelector(".canvas > .strip") !== null && drawing !== undefined && box.bottom > drawing.top + 1)
              out.push(`"${name}" lies over the drawing`);
          }
          if (!buttons.some((one) => one.matches(".hint .btn.main") && one.checkVisibility()) && !all.startsWith("One ring"))
            out.push("its button is not seen");
          return out;
        });
        for (const line of said) wrong.push(`${n} ${names === undefined ? "" : "named "}${state} ${size.width}: ${line}`);
      }
    }
  expect(wrong).toEqual([]);
});

test("a window that grows and shrinks comes back as it was, and panes keep their floors", async ({ page }) => {
  await open(page, healthy());
  const before = [await boxOf(inspector(page)), await boxOf(page.getByRole("region", { name: "Dock" }))];
  await page.setViewportSize({ width: 1920, height: 1080 });
  await expect.poll(async () => (await boxOf(inspector(page))).width).toBeCloseTo(360, 0);
  await page.setViewportSize({ width: 1280, height: 800 });
  await expect.poll(async () => [await boxOf(inspector(page)), await boxOf(page.getByRole("region", { name: "Dock" }))]).toEqual(before);
  const bar = page.getByRole("separator", { name: "Width of the inspector" });
  const at = await boxOf(bar);
  await page.mouse.move(at.x, at.y + 200);
  await page.mouse.down();
  await page.mouse.move(1270, at.y + 200, { steps: 4 });
  await page.mouse.up();
  expect((await boxOf(inspector(page))).width).toBeGreaterThanOrEqual(271);
  const across = page.getByRole("separator", { name: "Height of the dock" });
  const low = await boxOf(across);
  await page.mouse.move(low.x + 200, low.y);
  await page.mouse.down();
  await page.mouse.move(low.x + 200, 60, { steps: 4 });
  await page.mouse.up();
  const seen = async (): Promise<number> => {
    const [view, under] = [await boxOf(canvas(page)), await boxOf(page.getByRole("region", { name: "Dock" }))];
    return Math.min(view.y + view.height, under.y) - view.y;
  };
  expect(await seen(), "pixels of the canvas above a tall dock").toBeGreaterThanOrEqual(199);
  // The card and the list of faults do not lie on each other, however low the canvas is.
  if (lab !== undefined) await show(page, lab, partition());
  const hint = page.getByRole("complementary", { name: "Hint" });
  await expect(hint).toHaveCount(1);
  expect(await meet(hint, page.getByRole("button", { name: "2 faults" })), "the card lies on the list of faults").toBe(false);
  // Neither does the drawing begin above its window, or lie under the line of the hint.
  const drawing = await boxOf(page.locator("svg.topo"));
  const top = await boxOf(thing(page, "switch:net0"));
  expect(top.y, "the drawing is cut off at its top").toBeGreaterThanOrEqual(drawing.y);
  const strip = await boxOf(hint);
  expect(strip.y + strip.height <= top.y + 1 || strip.x >= top.x + top.width || strip.x + strip.width <= top.x).toBe(true);
  await page.setViewportSize({ width: 1100, height: 620 });
  expect((await boxOf(canvas(page))).height).toBeGreaterThanOrEqual(199);
});

test("a round trip belongs to two machines, and is the last one", async ({ page }) => {
  const slow = healthy();
  // knet's mean remembers a stall for minutes; the last pong does not.
  for (const node of slow.nodes) for (const link of node.corosync?.links ?? []) if (link.to === 1) link.latencyUs = 23_000;
  await open(page, slow);
  await thing(page, "node:pve2").click();
  await expect(page.getByText("0.4 ms to pve2")).toHaveCount(2);
  await expect(page.locator(".topo").getByText(/23 ms/)).toHaveCount(0);
  await expect(inspector(page).getByText(/23 ms/)).toHaveCount(0);
  // The selected machine's own cable leads to many.
  await thing(page, "node:pve1").click();
  await expect(page.getByText("0.4 ms to pve1")).toHaveCount(2);
});

test("a machine that stands still: its last belief is stale, its cable is what it is, it is up since it was powered on", async ({
  page,
}) => {
  await open(page, stalled());
  await expect(thing(page, "node:pve2")).toHaveAccessibleName("pve2, node ID 2, stalled since 00:02:31, stalled, last: 3 of 3 votes");
  await expect(thing(page, "node:pve2").locator(".line.ok")).toHaveCount(0);
  await expect(thing(page, "cable:pve2:net0")).toHaveAccessibleName(/up, no peer answers/);
  await thing(page, "node:pve2").click();
  await expect(inspector(page)).toContainText("up 00:02:38");
  await expect(inspector(page)).toContainText("pve2 has stood still since 00:02:31. What follows is what it believed then.");
  const off = await page.evaluate(() => {
    const probe = document.createElement("i");
    probe.style.color = "var(--off)";
    document.body.append(probe);
    return getComputedStyle(probe).color;
  });
  for (const state of await inspector(page).locator(".stale .st").all())
    expect(await state.evaluate((element) => getComputedStyle(element).color)).toBe(off);
  if (lab !== undefined) await show(page, lab, resumed());
  await expect(inspector(page)).toContainText("up 00:02:38");
});

test("gather: who forms a ring with whom; while a ring installs only those stand in it that have it", async ({ page }) => {
  await open(page, gather());
  await expect(votes(page)).toContainText("pve3 alone; pve1 and pve2 form one");
  if (lab !== undefined) await show(page, lab, installing());
  await expect(votes(page)).toContainText("installing");
  await expect(votes(page)).toContainText("1 of 3 members have installed it; votes are counted when all have.");
  await expect(votes(page).getByText("quorate", { exact: true })).toHaveCount(0);
  await expect(votes(page).locator(".cell:not(.away, .wait)")).toHaveCount(1);
});

test("the empty canvas has a menu of its own", async ({ page }) => {
  await open(page, healthy());
  await thing(page, "switch:net0").click();
  const drawing = await boxOf(page.locator(".topo"));
  await page.mouse.click(drawing.x + 6, drawing.y + drawing.height - 6, { button: "right" });
  const menu = page.getByRole("menu", { name: "Actions" });
  await expect(menu).toBeVisible();
  await expect(menu.getByRole("menuitem", { name: /net0/ })).toHaveCount(0);
  await expect(menu.getByRole("menuitem", { name: "Fit the drawing" })).toBeVisible();
  await page.keyboard.press("Escape");
  await thing(page, "switch:net0").click({ button: "right" });
  await expect(menu.getByRole("menuitem", { name: /net0 off/ })).toBeVisible();
});

test("a main button that is disabled can be read, also under the pointer", async ({ page }) => {
  await open(page, healthy());
  const contrast = await page.evaluate(() => {
    const button = document.createElement("button");
    button.className = "btn main";
    button.disabled = true;
    button.textContent = "Write";
    button.style.cssText = "position:fixed;left:100px;top:100px;z-index:999;transition:none";
    document.body.append(button);
    return getComputedStyle(button).backgroundColor;
  });
  await page.mouse.move(110, 108);
  const hovered = await page.evaluate(() => {
    const button = document.querySelector<HTMLElement>("body > .btn.main");
    return button === null ? "" : getComputedStyle(button).backgroundColor;
  });
  const sunken = await page.evaluate(() => {
    const probe = document.createElement("i");
    probe.style.backgroundColor = "var(--sunken)";
    document.body.append(probe);
    return getComputedStyle(probe).backgroundColor;
  });
  expect([contrast, hovered]).toEqual([sunken, sunken]);
});

test("on a switch no text lies on a socket, and a one-way cut keeps both strands while it is selected", async ({ page }) => {
  await open(page, renamed(harmed(5), realNames));
  const ports = await page
    .locator(".topo .switch .port")
    .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
  const texts = await page
    .locator(".topo .switch text")
    .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
  for (const text of texts)
    for (const port of ports)
      expect(text.right < port.left + 2 || text.left > port.right - 2 || text.bottom < port.top + 2 || text.top > port.bottom - 2).toBe(
        true,
      );
  const cable = thing(page, "cable:hv-a02:net0");
  await cable.focus();
  await expect(cable).toHaveAttribute("aria-pressed", "true");
  const glow = await boxOf(cable.locator(".glow"));
  for (const strand of await cable.locator(".line").all()) {
    const box = await boxOf(strand);
    expect(box.x - glow.x).toBeGreaterThan(2);
    expect(glow.x + glow.width - box.x - box.width).toBeGreaterThan(2);
  }
});

test("cables say what they are: what was set on them, and not what knet believes of a peer", async ({ page }) => {
  await open(page, harmed(3));
  await expect(thing(page, "cable:pve3:net1")).toHaveAccessibleName(/delay 50 ± 12\.5 ms, loss 6\.25 %, 100 Mbit\/s, MTU 1280/);
  const right = (await boxOf(page.locator(".topo"))).x + (await boxOf(page.locator(".topo"))).width - 250;
  for (const label of await page.locator(".topo .lbl").all()) {
    const box = await boxOf(label);
    expect(box.x + box.width).toBeLessThan(right);
  }
  // A partition cuts no cable: the switch is split between the groups.
  if (lab !== undefined) await show(page, lab, split(3, [[1, 2], [3]], 1));
  await expect(thing(page, "cable:pve3:net0")).toHaveAccessibleName(/up, no peer answers on it/);
  await expect(thing(page, "cable:pve3:net0").locator(".down")).toHaveCount(0);
  await expect(thing(page, "switch:net0")).toHaveAccessibleName(/split into pve1 pve2 \| pve3/);
  await expect(thing(page, "switch:net0").locator("rect.body")).toHaveCount(2);
  await expect(page.locator(".topo .wall")).toHaveCount(1);
  if (lab !== undefined) await show(page, lab, split(32, [upTo(1, 20), upTo(21, 32)]));
  await expect(page.locator(".topo .wall")).toHaveCount(2);
  if (lab !== undefined) await show(page, lab, split(32, [upTo(1, 31), [32]]));
  await expect(thing(page, "cable:pve32:net0")).toHaveAccessibleName(/up, no peer answers on it/);
  await expect(thing(page, "cable:pve32:net0").locator(".down")).toHaveCount(0);
});

test("the status bar keeps its right end with many partitions", async ({ page }) => {
  await open(page, split(8, [upTo(1, 3), upTo(4, 6), [7], [8]]));
  for (const width of [1024, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const node = await boxOf(status(page).getByRole("button", { name: /^pve2/ }));
    expect(node.x + node.width).toBeLessThanOrEqual(width + 1);
    await expect(status(page)).toContainText("3 of 8");
    await expect(status(page)).toContainText("1 of 8");
  }
  if (lab !== undefined)
    await show(
      page,
      lab,
      renamed(
        split(5, [
          [1, 2, 4],
          [3, 5],
        ]),
        realNames,
      ),
    );
  await thing(page, "node:hv-witness-long-name").click();
  for (const width of [640, 1024, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const node = await boxOf(status(page).getByRole("button", { name: /^hv-witness/ }));
    expect(node.x + node.width, `two partitions at ${width}`).toBeLessThanOrEqual(width + 1);
    for (const one of await status(page).getByRole("button").all()) {
      const box = await boxOf(one);
      expect(
        await one.evaluate((element, [x, y]) => element.contains(document.elementFromPoint(x, y)), [
          box.x + box.width - 3,
          box.y + 9,
        ] as const),
      ).toBe(true);
    }
  }
});

test("nodes keep their places when they leave and come back", async ({ page }) => {
  await open(page, healthy());
  const order = async (): Promise<string[]> => {
    const keys = ["pve1", "pve2", "pve3"];
    const at = await Promise.all(keys.map(async (name) => ({ name, x: (await boxOf(thing(page, `node:${name}`))).x })));
    return at.sort((a, b) => a.x - b.x).map(({ name }) => name);
  };
  expect(await order()).toEqual(["pve1", "pve2", "pve3"]);
  if (lab !== undefined) await show(page, lab, split(3, [[1, 3], [2]]));
  expect(await order()).toEqual(["pve1", "pve2", "pve3"]);
});

test("sixteen and thirty-two nodes: columns inside, legend and timeline there, letters that can be read", async ({ page }) => {
  await open(page, healthy(16));
  for (const n of [16, 32])
    for (const size of [
      { width: 1280, height: 800 },
      { width: 1920, height: 1080 },
    ]) {
      await page.setViewportSize(size);
      if (lab !== undefined) await show(page, lab, n === 16 ? split(16, [upTo(1, 15), [16]]) : healthy(32));
      const side = await page.locator(".side").evaluate((element) => element.scrollWidth - element.clientWidth);
      expect(side, `${n} at ${size.width}`).toBeLessThanOrEqual(1);
      await expect(page.getByRole("columnheader", { name: "token" })).toBeVisible();
      await expect(page.getByRole("region", { name: "Timeline" })).toBeVisible();
      await expect(page.getByRole("img", { name: /^Line shapes/ }).first()).toBeVisible();
      const smallest = await page.locator(".topo .machine text, .topo .centre").evaluateAll((all) =>
        Math.min(
          ...all.map((one) => {
            const scale = (one as SVGTextElement).getScreenCTM()?.a ?? 1;
            return Number.parseFloat(getComputedStyle(one).fontSize) * scale;
          }),
        ),
      );
      expect(smallest, `${n} at ${size.width}`).toBeGreaterThanOrEqual(n === 16 ? 11 : 10);
      // What stands in the middle crosses no spoke.
      const crossed = await page.locator("svg.topo").evaluate((topo) => {
        const texts = [...topo.querySelectorAll(".centre")].map((one) => one.getBoundingClientRect());
        const spokes = [...topo.querySelectorAll<SVGGeometryElement>('[data-key^="cable:"] .line')];
        const found = spokes.flatMap((spoke) => {
          const matrix = spoke.getScreenCTM();
          const length = spoke.getTotalLength();
          return [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
            const at = spoke.getPointAtLength(share * length);
            const point = new DOMPoint(at.x, at.y).matrixTransform(matrix ?? undefined);
            const hit = texts.some((box) => point.x > box.left && point.x < box.right && point.y > box.top && point.y < box.bottom);
            return hit ? [spoke.closest("[data-key]")?.getAttribute("data-key") ?? ""] : [];
          });
        });
        return { texts: texts.length, spokes: spokes.length, found };
      });
      expect(crossed.texts).toBeGreaterThan(0);
      expect(crossed.spokes).toBeGreaterThanOrEqual(n);
      expect(crossed.found, `${n} at ${size.width}`).toEqual([]);
    }
  if (lab !== undefined) await show(page, lab, gathering(16));
  await expect(votes(page)).toContainText("16 nodes each alone");
});

test("what an act has said covers no row and no prompt: nothing that cannot be scrolled free", async ({ page }) => {
  const snapshot = healthy();
  snapshot.undo = "node kill pve3";
  snapshot.problems = Array.from({ length: 30 }, (_, at) => ({ severity: "note" as const, code: "single-link", text: `problem ${at}` }));
  await open(page, snapshot);
  const toast = page.getByRole("status").locator(".toast");
  for (const size of [
    { width: 1280, height: 800 },
    { width: 1920, height: 1080 },
  ]) {
    await page.setViewportSize(size);
    await page.getByRole("tab", { name: /^Problems/ }).click();
    await expect(page.getByRole("region", { name: "Problems" }).getByText("problem 29")).toHaveCount(1);
    await thing(page, "node:pve3").focus();
    await page.keyboard.press("k");
    await expect(toast).toHaveText(/node kill pve3/);
    for (const region of ["dock", "inspector", "timeline", "canvas", "votes", "status"])
      expect(await meet(toast, page.locator(`[data-region=${region}]`)), `${region} at ${size.width}`).toBe(false);
    for (const control of await page.getByRole("banner").getByRole("button").all())
      if (!((await control.textContent()) ?? "").includes("Undo"))
        expect(await meet(toast, control), `a button of the bar at ${size.width}`).toBe(false);
  }
});

test("words are those of the field: nodes, not processors; a flag is in the type of a command only where the command prints it", async ({
  page,
}) => {
  const snapshot = gather();
  for (const { quorum } of snapshot.nodes) if (quorum !== null) quorum.flags = [];
  await open(page, snapshot);
  await thing(page, "node:pve2").click();
  // Both in the overview and in the tab of the quorum.
  const flags = inspector(page)
    .locator("dt", { hasText: /^Flags$/ })
    .locator("+ dd");
  await expect(flags).toHaveText(["none", "none"]);
  for (const one of await flags.all()) await expect(one).not.toHaveClass(/mono/);
  await expect(inspector(page).locator("dt", { hasText: /^Margin/ })).toHaveAttribute("title", /^Token timeout divided by/);
  await inspector(page).getByRole("tab", { name: "membership" }).click();
  for (const term of ["Known nodes", "Failed nodes", "Consensus reached with"])
    await expect(inspector(page).getByRole("term").filter({ hasText: term })).toHaveCount(1);
  await expect(inspector(page)).not.toContainText(/processors|[Gg]iven up|synchronise/);
  if (lab !== undefined) await show(page, lab, installing());
  await expect(
    inspector(page)
      .locator("dt", { hasText: /^Services$/ })
      .locator("+ dd"),
  ).toHaveText("syncing");
  await page.keyboard.press("F1");
  await page.getByRole("combobox", { name: "Action" }).fill("one window");
  await expect(page.getByRole("option").first()).toContainText("One window: every event within the shortest delay");
  await page.keyboard.press("Escape");
  await page.keyboard.press("F1");
  await page.getByRole("combobox", { name: "Action" }).fill("build from nothing");
  await page.keyboard.press("Enter");
  const build = page.getByRole("dialog", { name: "Build from nothing" });
  await expect(build.getByLabel("Networks (one switch each)")).toBeVisible();
  await expect(build.getByLabel("Form the cluster")).toBeChecked();
});
