/** How the tests look at the page: by roles and names, as a person does. */
import { resolve } from "node:path";
import { expect, type Locator, type Page } from "@playwright/test";
import { fakeLab, type FakeLab } from "./fake-lab.ts";
import type { LabSnapshot, Request } from "../../src/main/lab/api.ts";
import { clock } from "../../src/renderer/src/format.ts";

export const staticDir = resolve(import.meta.dirname, "../../out/renderer");

/** Something on the canvas: "node:pve1", "cable:pve3:net0", "switch:net0". */
export const thing = (page: Page, key: string): Locator => page.locator(`[data-key="${key}"]`);

export const votes = (page: Page): Locator => page.getByRole("region", { name: /^Votes/ });

/** What stands in a node's terminal, as a screen reader hears it. */
export const terminalOf = (page: Page, node: string): Locator => page.locator(`[data-terminal="${node}"] .xterm-accessibility`);

/** The page in front of written snapshots, already drawn. */
export async function openFake(
  page: Page,
  snapshot: LabSnapshot,
  options: { theme?: "light" | "dark" | "contrast"; refuse?: (request: Request) => string | undefined } = {},
): Promise<FakeLab> {
  const lab = await fakeLab(staticDir, snapshot, options.refuse);
  await page.addInitScript((theme) => localStorage.setItem("quorate.theme", JSON.stringify(theme)), options.theme ?? "light");
  await page.goto(lab.url);
  await expect(page.getByRole("group", { name: /^Topology/ })).toBeVisible();
  return lab;
}

let shown = 0;

/** Shows a snapshot at an instant of its own, and waits until it is drawn. */
export async function show(page: Page, lab: FakeLab, snapshot: LabSnapshot): Promise<void> {
  const instant = snapshot.time.instant + 1000 * ++shown;
  lab.show({ ...snapshot, time: { ...snapshot.time, instant } });
  await expect(page.locator("[data-region=time]")).toContainText(clock(instant));
}

/** Everything typed into its terminals so far. */
export const typedInto = (lab: FakeLab): string =>
  lab.asked.flatMap((request) => (request.op === "terminal-write" ? [request.data] : [])).join("");

/** Something drawn, in pixels of the window. Throws where it is not. */
export async function boxOf(of: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  // While a window's new size is taken in, something may be drawn anew.
  await expect.poll(() => of.boundingBox(), { message: "it is drawn" }).not.toBeNull();
  const box = await of.boundingBox();
  if (box === null) throw new Error("it is not drawn");
  return box;
}

/** Whether two things have more than a pixel in common. */
export async function meet(a: Locator, b: Locator): Promise<boolean> {
  const [one, other] = [await boxOf(a), await boxOf(b)];
  const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return across > 1 && down > 1;
}

/** What went wrong in the page from now on: errors that were thrown, and what it wrote to its console as an error. */
export function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error") errors.push(line.text());
  });
  return errors;
}
