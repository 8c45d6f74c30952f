/** No text runs out of its box, and none lies on another: every written state, small and large windows, three to thirty-two nodes, names as clusters have them. */
import { expect, test, type Page } from "@playwright/test";
import type { LabSnapshot } from "../../src/main/lab/api.ts";
import { misplacedTexts } from "./boxes.ts";
import { openFake, show, thing } from "./driving.ts";
import {
  broken,
  gather,
  gathering,
  harmed,
  healthy,
  installing,
  optioned,
  partition,
  realNames,
  renamed,
  resumed,
  sixteen,
  sixteenWitnessed,
  split,
  stalled,
  witnessed,
  witnessedSplit,
} from "./fixtures.ts";

test.describe.configure({ mode: "parallel" });

const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const longName = (id: number): string => `hypervisor-rack-${String(id).padStart(2, "0")}-frankfurt-production`;

/** The states a lab of so many nodes can be in. */
const states = (n: number): Record<string, LabSnapshot> => ({
  healthy: healthy(n),
  "split in two": split(n, [upTo(1, n - 1), [n]]),
  "split in halves": split(n, [upTo(1, Math.ceil(n / 2)), upTo(Math.ceil(n / 2) + 1, n)]),
  "split between": split(n, [upTo(1, n).filter((id) => id % 2 === 1), upTo(1, n).filter((id) => id % 2 === 0)]),
  "one node stalled": stalled(n),
  "it runs on": resumed(n),
  "a ring installs": installing(n),
  gather: gathering(n),
  "cables harmed": harmed(n),
});
const written: Record<string, LabSnapshot> = {
  partition: partition(),
  gather: gather(),
  broken: broken(),
  witnessed: witnessed(),
  witnessedSplit: witnessedSplit(),
  optioned: optioned(),
};

const cases: [string, Record<string, LabSnapshot>][] = [
  ["3 nodes", { ...states(3), ...written }],
  ["5 nodes with real names", Object.fromEntries(Object.entries(states(5)).map(([name, one]) => [name, renamed(one, realNames)]))],
  [
    "5 nodes with names of 40 characters",
    Object.fromEntries(Object.entries(states(5)).map(([name, one]) => [name, renamed(one, upTo(1, 5).map(longName))])),
  ],
  ["16 nodes", { ...states(16), sixteen: sixteen(), sixteenWitnessed: sixteenWitnessed() }],
  ["32 nodes", states(32)],
  [
    "32 nodes with long names",
    Object.fromEntries(Object.entries(states(32)).map(([name, one]) => [name, renamed(one, upTo(1, 32).map(longName))])),
  ],
];

for (const [name, shown] of cases)
  test(name, async ({ page }) => {
    const [first] = Object.values(shown);
    if (first === undefined) throw new Error("no state to draw");
    const lab = await openFake(page, first);
    await page.emulateMedia({ reducedMotion: "reduce" });
    const wrong: string[] = [];
    for (const size of sizes) {
      await page.setViewportSize(size);
      for (const [state, snapshot] of Object.entries(shown)) {
        await show(page, lab, snapshot);
        for (const line of await misplacedTexts(page)) wrong.push(`${size.width} ${state}: ${line}`);
      }
    }
    await lab.close();
    expect(wrong).toEqual([]);
  });

// ── what opens ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const button = async (page: Page, name: string | RegExp): Promise<void> =>
  await page.getByRole("button", { name, exact: true }).first().click();

async function fromPalette(page: Page, typed: string): Promise<void> {
  await page.keyboard.press("F1");
  await page.getByRole("combobox", { name: "Action" }).fill(typed);
  await expect(page.locator("#action-0")).toContainText(typed.split(" ")[0] ?? "", { ignoreCase: true });
  await page.keyboard.press("Enter");
  await expect(page.getByRole("combobox", { name: "Action" })).toHaveCount(0);
}

const menuOf = async (page: Page, key: string): Promise<void> =>
  await thing(page, key).dispatchEvent("contextmenu", { button: 2, bubbles: true, clientX: 300, clientY: 260 });

/** What a person can open over a lab, by what they press; `of`: names of two of its nodes. */
const openings = (of: readonly string[]): Record<string, (page: Page) => Promise<void>> => {
  const [first = "", last = ""] = of;
  return {
    "a card of why": (page) => button(page, "Why?"),
    "list of faults": (page) => button(page, /^1 fault$/),
    "menu of what to add": (page) => button(page, "Add"),
    "menu of the lab": (page) => button(page, /^Lab /),
    "menu of speeds": (page) => button(page, /^Speed /),
    "menu of a node": (page) => menuOf(page, `node:${last}`),
    "menu of a cable": (page) => menuOf(page, `cable:${last}:net0`),
    "menu of a switch": (page) => menuOf(page, "switch:net1"),
    palette: async (page) => {
      await page.keyboard.press("F1");
      await page.getByRole("combobox", { name: "Action" }).fill(`cut ${last}`);
    },
    keys: (page) => page.keyboard.press("?"),
    "another name": (page) => page.keyboard.press("F2"),
    partition: (page) => fromPalette(page, "partition: choose"),
    "numbers of a cable": (page) => fromPalette(page, `set delay ${last}:net0`),
    "block of a port": (page) => fromPalette(page, `block a port of ${last}`),
    snapshots: (page) => fromPalette(page, "snapshots"),
    labs: (page) => fromPalette(page, "labs of this computer"),
    "new lab": (page) => fromPalette(page, "new lab"),
    freeze: (page) => fromPalette(page, "freeze this lab"),
    replay: (page) => fromPalette(page, "replay"),
    build: (page) => fromPalette(page, "build from nothing"),
    export: async (page) => {
      await page.keyboard.press("Control+Shift+E");
      await page.getByRole("dialog").getByRole("button", { name: "README.md", exact: true }).click();
    },
    "the terminal's own": (page) => button(page, "New terminal"),
    journal: (page) => page.getByRole("tab", { name: "Journal", exact: true }).first().click(),
    problems: (page) => page.getByRole("tab", { name: /^Problems/ }).click(),
    actions: (page) => page.getByRole("tab", { name: "Actions", exact: true }).click(),
    "inspector of a node": (page) => fromPalette(page, `inspect ${first}`),
    ...Object.fromEntries(
      ["membership", "links", "token", "quorum", "journal"].map((tab) => [
        `inspector: ${tab}`,
        (page: Page) => page.getByRole("complementary", { name: "Inspector" }).getByRole("tab", { name: tab }).click(),
      ]),
    ),
    "inspector of a cable": async (page) => await thing(page, `cable:${last}:net0`).focus(),
    "inspector of a switch": async (page) => await thing(page, "switch:net0").focus(),
    "what happens next": async (page) => {
      await page.keyboard.press(".");
      await button(page, "Next");
      await page
        .getByRole("list", { name: "What can happen next" })
        .getByRole("button", { name: /^token seq/ })
        .first()
        .click();
    },
    "as a table": (page) => fromPalette(page, "canvas as a"),
    "what-if": async (page) => {
      await button(page, "What-if");
      await expect(page.getByRole("region", { name: "How much may go" })).toBeVisible();
    },
    configure: async (page) => {
      await button(page, "Configure");
      await expect(page.getByRole("textbox", { name: "corosync.conf" })).toContainText("totem");
    },
    import: (page) => fromPalette(page, "load my cluster"),
  };
};

/** What changes with the number of nodes; the rest is the same with five. */
const WITH_NODES =
  /^(a card of why|list of faults|menu of a node|partition|the terminal's own|problems|inspector: (membership|quorum)|what happens next|configure)$/;
/** What has the room of the window. */
const WITH_ROOM = /^(a card of why|inspector|problems|actions|what-if|configure|import|as a table)/;

for (const [name, n, names, opened] of [
  ["5 nodes with names of 40 characters", 5, upTo(1, 5).map(longName), /./],
  ["32 nodes with long names", 32, upTo(1, 32).map(longName), WITH_NODES],
] as const)
  test(`what opens: ${name}`, async ({ page }) => {
    const [first = "", last = ""] = [names[0], names.at(-1)];
    const snapshot = renamed(split(n, [upTo(1, n - 1), [n]]), names);
    snapshot.time = { ...snapshot.time, speed: 0.01, paused: true };
    const severed = { severity: "error", code: "partition", nodes: [last], count: 30, since: 160_000_000 } as const;
    const fix = { label: "Undo the partition", act: "heal" };
    snapshot.problems = [
      { ...severed, nodes: [last], text: `The network is partitioned: ${names.slice(0, 3).join(", ")} | ${last}`, fix },
      { severity: "warning", code: "single-link", text: "one link only: a single fault splits the cluster", line: 11, node: first },
    ];
    // A lab that begins with many nodes begins without dock and inspector.
    const lab = await openFake(page, renamed(healthy(3), names));
    await page.emulateMedia({ reducedMotion: "reduce" });
    await show(page, lab, snapshot);
    const wrong = new Set<string>();
    for (const [what, open] of Object.entries(openings([first, last])).filter(([one]) => opened.test(one))) {
      await open(page);
      for (const size of WITH_ROOM.test(what) ? sizes : sizes.slice(0, 1)) {
        await page.setViewportSize(size);
        for (const line of await misplacedTexts(page)) wrong.add(`${size.width} ${what}: ${line}`);
      }
      if (WITH_ROOM.test(what)) await page.setViewportSize({ width: 1280, height: 800 });
      else await page.keyboard.press("Escape");
      await expect(page.locator("[role=menu], [role=dialog]")).toHaveCount(0);
    }
    await lab.close();
    expect([...wrong]).toEqual([]);
  });
