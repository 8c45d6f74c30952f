/** The application's beginnings and ends in the real Electron: links and files that open labs, the place of the window, a supervisor that is stopped or killed, and every way to quit. */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canElectron, Desk, type Started } from "./desk.ts";

const within = { timeout: 40_000 };
const textOf = (page: Page): Promise<string> => page.evaluate("document.body.innerText");
const LAB = `quorate: 1
name: from a file
networks: { net0: 10.0.0.0/24 }
nodes:
  ares: { net0: 10.0.0.11 }
  hera: { net0: 10.0.0.12 }
cluster: { name: olymp, links: [net0] }
`;

describe.skipIf(!canElectron)("beginnings and ends in Electron (skipped without one)", () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.make();
  });
  afterAll(async () => {
    await desk?.end();
  });

  const supervisor = async (lab: string): Promise<number> =>
    (JSON.parse(await desk.quorate("up", "--lab", lab, "--json")) as { pid: number }).pid;

  /** It has ended with 0, the lab is as it should be, and nothing was complained about. */
  async function ended({ process: child, said }: Started, lab: string, runs: boolean): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
    expect(await desk.running(lab)).toBe(runs);
    expect(said()).not.toMatch(/not frozen|not remembered|could not/);
  }

  test("a lab that was frozen, by its link; its place and its zoom; SIGTERM freezes it", { timeout: 240_000 }, async () => {
    const lab = join(desk.home, "by link");
    await desk.quorate("up", "--nodes", "2", "--clustered", "--lab", lab);
    await desk.quorate("node", "kill", "pve2", "--lab", lab);
    await desk.quorate("down", "--lab", lab);
    const first = await desk.start({ args: [`quorate://lab/${encodeURIComponent(lab)}`] });
    await expect.poll(() => textOf(first.page), within).toMatch(/pve1[\s\S]*pve2[\s\S]*off/);
    const bounds = { x: 120, y: 80, width: 1111, height: 777 };
    await first.app.evaluate(({ BrowserWindow }, to) => {
      const [window] = BrowserWindow.getAllWindows();
      window?.setBounds(to);
      window?.webContents.setZoomLevel(1);
    }, bounds);
    await expect.poll(() => first.page.evaluate("window.innerWidth"), within).toBeLessThan(1000);
    process.kill(first.process.pid ?? 0, "SIGTERM");
    await ended(first, lab, false);
    const second = await desk.start({ args: ["--lab", lab] });
    const place = (): Promise<unknown> =>
      second.app.evaluate(({ BrowserWindow }) => {
        const [window] = BrowserWindow.getAllWindows();
        return { ...window?.getBounds(), zoom: window?.webContents.getZoomLevel() };
      });
    await expect.poll(place, within).toEqual({ ...bounds, zoom: 1 });
    // The last window closes, whether its page is there already or not.
    await second.app.evaluate(({ BrowserWindow }) => void setTimeout(() => BrowserWindow.getAllWindows()[0]?.close()));
    await ended(second, lab, false);
  });

  test("a lab of a .quorate file; its supervisor stopped, and killed; SIGINT", { timeout: 240_000 }, async () => {
    const file = desk.file("olymp.quorate", LAB);
    const lab = join(desk.home, "state/quorate/olymp");
    const one = await desk.start({ args: [file] });
    await expect.poll(() => textOf(one.page), within).toMatch(/ares[\s\S]*hera/);
    expect(await desk.running(lab)).toBe(true);
    expect(readFileSync(join(lab, "lab.yaml"), "utf8")).toContain("from a file");
    const pid = await supervisor(lab);
    process.kill(pid, "SIGSTOP");
    const silent = one.page.getByRole("alert");
    await silent.waitFor({ timeout: 40_000 });
    expect(await silent.textContent()).toMatch(/does not answer/);
    process.kill(pid, "SIGCONT");
    await silent.waitFor({ state: "detached", timeout: 40_000 });
    process.kill(pid, "SIGKILL");
    await expect.poll(() => silent.textContent(), within).toMatch(/is gone/);
    // Asked for again it goes on from its disks; the window finds it by itself.
    await desk.startAgain(["--lab", lab]);
    await silent.waitFor({ state: "detached", timeout: 40_000 });
    expect(await supervisor(lab)).not.toBe(pid);
    await expect.poll(() => textOf(one.page), within).toMatch(/ares[\s\S]*hera/);
    process.kill(one.process.pid ?? 0, "SIGINT");
    await ended(one, lab, false);
  });

  test(
    "app.quit() while another takes the lab down; one that was running goes on, also when the application is killed",
    { timeout: 240_000 },
    async () => {
      const lab = join(desk.home, "lab");
      const one = await desk.start();
      await expect.poll(() => textOf(one.page), within).toMatch(/pve1[\s\S]*pve3/);
      const gone = once(one.process, "exit");
      // Whichever comes first: the other one finds it frozen, or being frozen.
      await Promise.allSettled([desk.quorate("down"), one.app.evaluate(({ app }) => void setTimeout(() => app.quit(), 300)), gone]);
      await ended(one, lab, false);
      await desk.quorate("up");
      const two = await desk.start();
      await expect.poll(() => textOf(two.page), within).toMatch(/pve1[\s\S]*pve3/);
      await Promise.all([once(two.process, "exit"), two.app.close()]);
      await ended(two, lab, true);
      const three = await desk.start();
      three.process.kill("SIGKILL");
      await once(three.process, "exit");
      expect(await desk.running()).toBe(true);
      // Of the killed one nothing but the lab is left.
      const pid = await supervisor(lab);
      const left = (): string[] =>
        desk.processes().flatMap((one_) => {
          const line = existsSync(`/proc/${one_}/cmdline`) ? readFileSync(`/proc/${one_}/cmdline`, "utf8").replaceAll("\0", " ") : "";
          return line.includes("--type=") || line.includes("--remote-debugging-port") ? [line] : [];
        });
      await expect.poll(left, within).toEqual([]);
      expect(pid).toBeGreaterThan(0);
      await desk.quorate("down");
    },
  );

  test("without the sandbox there is no window: one line, and the page on loopback", { timeout: 240_000 }, async () => {
    const { status, out, err } = await desk.unsandboxed();
    expect(err.split("\n").filter((line) => line.startsWith("Quorate"))).toEqual([
      "Quorate opens no window without Chromium's sandbox (root has none): the page on loopback instead; Ctrl-C ends it",
    ]);
    expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#\S+\n$/);
    expect(status).toBe(0);
    expect(await desk.running()).toBe(false);
  });
});
