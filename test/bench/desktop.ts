/** The window in the real Electron: how soon it is there and says "quorate", its frames with 3 and 16 nodes, what it takes of the memory, and how soon it is gone. Prints JSON. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Desk } from "../desktop/desk.ts";

const STARTS = 3;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** In the page: the frame that 95 of 100 are not longer than, ms. */
const frames = (page: Page): Promise<number> =>
  page.evaluate(`new Promise((done) => {
    const lengths = [];
    const began = performance.now();
    let last = began;
    requestAnimationFrame(function next(now) {
      lengths.push(now - last);
      last = now;
      if (now - began < 8000) requestAnimationFrame(next);
      else done(lengths.slice(1).sort((a, b) => a - b)[Math.floor(lengths.length * 0.95)]);
    });
  })`);

const text = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended since it was listed.
    return "";
  }
};
const kib = (rollup: string, key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0);

/** MiB: all processes of this desk but the display, each page of memory counted once; and the largest process of a node. */
function memory(desk: Desk): { pssMiB: number; nodeResidentMiB: number; nodePrivateMiB: number } {
  const all = desk
    .processes()
    .map((pid) => ({ line: text(`/proc/${pid}/cmdline`), rollup: text(`/proc/${pid}/smaps_rollup`) }))
    .filter(({ line }) => !line.includes("Xvfb"));
  const nodes = all.filter(({ line }) => line.startsWith("quorate node "));
  return {
    pssMiB: all.reduce((sum, { rollup }) => sum + kib(rollup, "Pss"), 0) / 1024,
    nodeResidentMiB: Math.max(...nodes.map(({ rollup }) => kib(rollup, "Rss"))) / 1024,
    nodePrivateMiB: Math.max(...nodes.map(({ rollup }) => kib(rollup, "Private_Clean") + kib(rollup, "Private_Dirty"))) / 1024,
  };
}

const desk = await Desk.make();
try {
  const [windowMs, quorateMs, closeMs]: number[][] = [[], [], []];
  let three: { frameMs: number } & ReturnType<typeof memory> = { frameMs: NaN, pssMiB: NaN, nodeResidentMiB: NaN, nodePrivateMiB: NaN };
  for (let i = 0; i < STARTS; i++) {
    const lab = join(desk.home, `lab-${i}`);
    const began = performance.now();
    const { app, page, process: child } = await desk.start({ lab });
    windowMs?.push(performance.now() - began);
    await page.getByText("quorate").first().waitFor();
    quorateMs?.push(performance.now() - began);
    if (i === STARTS - 1) {
      await wait(5000);
      three = { frameMs: await frames(page), ...memory(desk) };
    } else await wait(1500);
    const asked = performance.now();
    await Promise.all([once(child, "exit"), app.evaluate(({ app: it }) => void setTimeout(() => it.quit()))]);
    closeMs?.push(performance.now() - asked);
  }
  const lab = join(desk.home, "sixteen");
  await desk.quorate("up", "--nodes", "16", "--clustered", "--lab", lab);
  const { app, page } = await desk.start({ lab });
  await page.locator('[data-key="cable:pve16:net0"]').first().waitFor();
  await wait(5000);
  const sixteenFrameMs = await frames(page);
  await app.close();
  await desk.quorate("down", "--lab", lab);
  console.log(
    JSON.stringify({
      windowMs: median(windowMs ?? []),
      quorateMs: median(quorateMs ?? []),
      closeMs: median(closeMs ?? []),
      three,
      sixteenFrameMs,
    }),
  );
} finally {
  await desk.end();
}
