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

/** What went wrong in the page from now on: errors that were thrown, and what it wrote to its console as an error. */
export function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error") errors.push(line.text());
  });
  return errors;
}
