/** The application in the real Electron, as a person uses it: the first minute, every item of the menu, dialogs, files, second starts, and what dies under it. */
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer, asked, canElectron, chooseItem, Desk, opened, pressKeys, stubDialogs, type Started } from "./desk.ts";

const within = { timeout: 40_000 };
const CONF = `totem {
  version: 2
  cluster_name: depot
  config_version: 1
  transport: knet
}
nodelist {
  node { ring0_addr: 10.9.0.1; nodeid: 1; name: east }
  node { ring0_addr: 10.9.0.2; nodeid: 2; name: west }
}
quorum { provider: corosync_votequorum }
`
  .replaceAll(/\{ (.*) \}/g, "{\n$1\n}")
  .replaceAll("; ", "\n");

const textOf = (page: Page): Promise<string> => page.evaluate("document.body.innerText");
const terminalText = async (page: Page, node: string): Promise<string> =>
  (await page.locator(`[data-terminal="${node}"] .xterm-accessibility`).textContent()) ?? "";

describe.skipIf(!canElectron)("the window in Electron (skipped without one)", () => {
  let desk: Desk;
  let started: Started;

  beforeAll(async () => {
    desk = await Desk.make();
    started = await desk.start();
    await stubDialogs(started.app);
  }, 90_000);

  afterAll(async () => {
    await desk?.end();
  });

  /** Of the window that shows this lab: how it is drawn. */
  const windows = (): Promise<string[]> =>
    started.app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()
        .map((one) => one.getTitle())
        .sort(),
    );

  test("the first minute: a quorate lab, a cable cut by key, the votes, a terminal, healed", { timeout: 240_000 }, async () => {
    const { page } = started;
    expect(page.url()).toBe("app://quorate/index.html");
    await expect.poll(() => textOf(page), within).toMatch(/3 of 3 votes, 2 needed, quorate; may lose 1 more/);
    expect(await desk.running()).toBe(true);
    await expect.poll(() => terminalText(page, "pve1"), within).toContain("Quorum provider:  corosync_votequorum");
    const cable = page.locator('[data-key="cable:pve3:net0"]').first();
    await cable.focus();
    await page.keyboard.press("x");
    await expect.poll(() => textOf(page), within).toMatch(/2 of 3 votes, 2 needed, quorate; may lose 0 more/);
    await page.keyboard.press("Control+`");
    await expect.poll(() => terminalText(page, "pve3"), within).toContain("root@pve3:~#");
    await page.keyboard.type("pvecm status | grep Quorate\n");
    await expect.poll(() => terminalText(page, "pve3"), within).toMatch(/Quorate:\s+No/);
    await cable.focus();
    await page.keyboard.press("x");
    await expect.poll(() => textOf(page), within).toMatch(/3 of 3 votes, 2 needed, quorate; may lose 1 more/);
  });

  test("every item of the menu, and the keys of the keyboard that choose it", { timeout: 240_000 }, async () => {
    const { app, page } = started;
    const items = await app.evaluate(({ Menu }) =>
      (Menu.getApplicationMenu()?.items ?? []).flatMap((menu) =>
        (menu.submenu?.items ?? [])
          .filter(({ type }) => type !== "separator")
          .map((item) => `${menu.label}: ${item.label}${item.accelerator ? ` (${String(item.accelerator)})` : ""}`),
      ),
    );
    expect(items).toEqual([
      "File: Open lab… (Ctrl+Shift+L)",
      "File: New lab from corosync.conf… (Ctrl+Shift+O)",
      "File: Export configuration…",
      "File: Close window (Ctrl+Shift+W)",
      "File: Quit (Ctrl+Shift+Q)",
      "View: Command palette… (F1)",
      "View: Reload (Ctrl+Shift+R)",
      "View: Actual Size",
      "View: Zoom In",
      "View: Zoom Out",
      "View: Toggle Full Screen",
      "View: Toggle Developer Tools (Ctrl+Shift+I)",
      "Window: Minimize",
      "Help: About Quorate",
      "Help: Licences…",
      "Help: Licences of Chromium…",
    ]);
    await asked(app);
    const wasAsked = async (keys: string): Promise<string> => {
      await pressKeys(desk, keys);
      await expect.poll(() => app.evaluate(() => (globalThis as unknown as { asked: unknown[] }).asked.length), within).toBe(1);
      return (await asked(app))[0]?.title ?? "";
    };
    // Also out of a terminal.
    await page.locator(".xterm-helper-textarea").first().focus();
    expect(await wasAsked("ctrl+shift+l")).toBe("Open a lab");
    expect(await wasAsked("ctrl+shift+o")).toBe("Open a cluster's corosync.conf");
    const zoom = (): Promise<number> =>
      app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getZoomLevel() ?? NaN);
    for (const [keys, level] of [
      ["ctrl+minus", -0.5],
      ["ctrl+0", 0],
      ["ctrl+plus", 0.5],
      ["ctrl+0", 0],
    ] as const) {
      await pressKeys(desk, keys);
      await expect.poll(zoom, within).toBe(level);
    }
    await pressKeys(desk, "F1");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await chooseItem(app, "Command palette…");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await pressKeys(desk, "ctrl+shift+i");
    await expect
      .poll(() => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.isDevToolsOpened()), within)
      .toBe(true);
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.closeDevTools());
    await chooseItem(app, "Reload");
    await expect.poll(() => textOf(page), within).toContain("quorate; may lose 1 more");
    await answer(app, { response: 0 });
    await chooseItem(app, "About Quorate");
    expect((await asked(app))[0]?.title).toMatch(/^Quorate \d+\.\d+\.\d+$/);
    for (const [label, what] of [
      ["Licences…", /just-bash[\s\S]*zeromq/],
      ["Licences of Chromium…", /Chromium|ANGLE/],
    ] as const) {
      const [text] = await Promise.all([app.waitForEvent("window"), chooseItem(app, label)]);
      // No script runs in it, ours neither.
      const read = (): Promise<number> =>
        app.evaluate(async ({ BrowserWindow }) => {
          const window = BrowserWindow.getAllWindows().find((one) => /licences/.test(one.webContents.getURL()));
          const image = await window?.webContents.capturePage();
          return image?.getSize().width ?? 0;
        });
      await expect.poll(read, within).toBeGreaterThan(100);
      const served = await page.evaluate(`fetch(${JSON.stringify(text.url())}).then((answer) => answer.text())`);
      expect(served).toMatch(what);
      await app.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()
          .find((one) => /licences/.test(one.webContents.getURL()))
          ?.destroy(),
      );
      await expect.poll(windows, within).toHaveLength(1);
    }
  });

  test("axe finds nothing, light, dark and with more contrast; at 200 % nothing is lost", { timeout: 240_000 }, async () => {
    const { page } = started;
    for (const theme of ["dark", "contrast", "light"]) {
      await page.evaluate(`localStorage.setItem("quorate.theme", JSON.stringify("${theme}"))`);
      await page.reload();
      await expect.poll(() => textOf(page), within).toContain("quorate; may lose 1 more");
      expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(theme);
      // There are no more pages in this Electron, which axe would collect its results in.
      const axe = new AxeBuilder({ page }).setLegacyMode(true).exclude(".xterm");
      const { violations } = await (theme === "dark" ? axe : axe.withRules(["color-contrast"])).analyze();
      expect(violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html ?? ""}`)).toEqual([]);
    }
    const set = (level: number): Promise<void> =>
      started.app.evaluate(({ BrowserWindow }, to) => BrowserWindow.getAllWindows()[0]?.webContents.setZoomLevel(to), level);
    await started.app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.setBounds({ x: 0, y: 0, width: 1280, height: 800 }),
    );
    await set(Math.log(2) / Math.log(1.2));
    await expect.poll(() => page.evaluate("window.innerWidth"), within).toBeLessThan(800);
    expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    await page.getByRole("button", { name: "Inspect", exact: true }).click();
    await page.getByRole("complementary", { name: "Inspector" }).waitFor();
    await page.keyboard.press("Escape");
    await set(0);
  });

  test("export and save through dialogs; what stands there is asked about", { timeout: 240_000 }, async () => {
    const { app, page } = started;
    const target = desk.folder("export");
    // The addresses of a new lab are placeholders, and that is asked about first.
    await answer(app, { response: 1 }, { canceled: false, filePaths: [target] });
    await chooseItem(app, "Export configuration…");
    const conf = (): string =>
      readdirSync(target, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith("corosync.conf")) ?? "";
    await expect.poll(conf, within).not.toBe("");
    await expect.poll(() => opened(app), within).toHaveLength(1);
    expect(readFileSync(join(target, conf()), "utf8")).toMatch(/nodelist \{[\s\S]*ring0_addr: 10\.0\.0\.11/);
    await asked(app);
    await answer(app, { response: 1 }, { canceled: false, filePaths: [target] }, { response: 1 });
    await chooseItem(app, "Export configuration…");
    await expect.poll(() => app.evaluate(() => (globalThis as unknown as { asked: unknown[] }).asked.length), within).toBe(3);
    expect((await asked(app)).map(({ title }) => title)).toEqual([
      "This export is not ready for real hosts",
      "Export configuration to",
      expect.stringMatching(/^\d+ of \d+ files are there already$/),
    ]);
    // A file that the page makes is saved where the person says, or not at all.
    const file = join(target, "saved.txt");
    const save = `{ const link = document.createElement("a"); link.href = URL.createObjectURL(new Blob(["of the page"])); link.download = "record.txt"; link.click(); }`;
    await answer(app, file);
    await page.evaluate(save);
    await expect.poll(() => existsSync(file) && readFileSync(file, "utf8"), within).toBe("of the page");
    await asked(app);
    await page.evaluate(save);
    await expect.poll(() => asked(app), within).toEqual([expect.objectContaining({ kind: "save", detail: "record.txt" })]);
  });

  test(
    "a corosync.conf: dropped on the window, and chosen in the menu, which is a second lab in a second window",
    { timeout: 240_000 },
    async () => {
      const { app, page } = started;
      mkdirSync(join(desk.home, "depot"), { recursive: true, mode: 0o755 });
      const conf = desk.file("depot/corosync.conf", CONF);
      const cdp = await page.context().newCDPSession(page);
      for (const type of ["dragEnter", "dragOver", "drop"] as const)
        await cdp.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data: { items: [], files: [conf], dragOperationsMask: 1 } });
      await expect.poll(() => textOf(page), within).toMatch(/my own file[\s\S]*Open as a lab/);
      expect(page.url()).toBe("app://quorate/index.html");
      await answer(app, { canceled: false, filePaths: [conf] });
      const [second] = await Promise.all([app.waitForEvent("window", { timeout: 60_000 }), chooseItem(app, "New lab from corosync.conf…")]);
      await expect.poll(() => textOf(second), { timeout: 60_000 }).toMatch(/east[\s\S]*west/);
      expect(await desk.running(join(desk.home, "state/quorate/depot"))).toBe(true);
      expect(await textOf(page)).toContain("pve3");
      // What is done in one is not done in the other.
      await second.getByRole("button", { name: "Pause", exact: true }).first().click();
      await second.getByRole("button", { name: "Run", exact: true }).first().waitFor();
      expect(JSON.parse(await desk.quorate("time", "--json"))).toMatchObject({ paused: false });
      // A second start without a lab finds the first; with one of those on show, that one.
      const front = (): Promise<string> => app.evaluate(({ BrowserWindow }) => BrowserWindow.getFocusedWindow()?.getTitle() ?? "");
      await desk.startAgain([]);
      await expect.poll(front, within).toMatch(/^lab/);
      await desk.startAgain(["--lab", join(desk.home, "state/quorate/depot")]);
      await expect.poll(front, within).toMatch(/^depot/);
      await desk.startAgain([`quorate://lab/${encodeURIComponent(join(desk.home, "lab"))}`]);
      await expect.poll(front, within).toMatch(/^lab/);
      expect(await windows()).toHaveLength(2);
      // A link to what is none of the labs is not followed.
      await asked(app);
      await desk.startAgain([`quorate://lab/${encodeURIComponent(join(desk.home, "depot"))}`]);
      await expect.poll(() => asked(app), within).toEqual([expect.objectContaining({ kind: "error", title: "The link was not followed" })]);
      // Chosen by its file the lab that is on show comes to the front.
      await answer(app, { canceled: false, filePaths: [join(desk.home, "state/quorate/depot/lab.yaml")] });
      await chooseItem(app, "Open lab…");
      await expect.poll(front, within).toMatch(/^depot/);
      // Its window closes, and the lab is frozen.
      await chooseItem(app, "Close window");
      await expect.poll(windows, within).toHaveLength(1);
      await expect.poll(() => desk.running(join(desk.home, "state/quorate/depot")), within).toBe(false);
      expect(await desk.running()).toBe(true);
    },
  );

  test("a terminal in a window of its own goes with its lab's window", { timeout: 240_000 }, async () => {
    const { app, page } = started;
    const out = page.getByRole("button", { name: /^A terminal of pve\d in a window of its own$/ });
    const [alone] = await Promise.all([app.waitForEvent("window"), out.click()]);
    expect(alone.url()).toMatch(/^app:\/\/quorate\/index\.html\?terminal=pve\d$/);
    await expect.poll(() => alone.locator(".xterm-accessibility").textContent(), within).toMatch(/root@pve\d:~#/);
    await alone.keyboard.type("hostname -f; echo $((6 * 7))\n");
    await expect.poll(() => alone.locator(".xterm-accessibility").textContent(), within).toContain("42");
    expect(await windows()).toHaveLength(2);
  });

  test("a lost GPU process and a crashed page: it is drawn again, and stands where it was", { timeout: 240_000 }, async () => {
    const { app, page } = started;
    await page.getByRole("button", { name: "What-if" }).first().click();
    const gpu = await app.evaluate(({ app: it }) => it.getAppMetrics().find(({ type }) => type === "GPU")?.pid ?? 0);
    process.kill(gpu, "SIGKILL");
    await expect
      .poll(() => app.evaluate(({ app: it }) => it.getAppMetrics().find(({ type }) => type === "GPU")?.pid), within)
      .not.toBe(gpu);
    const drawn = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
    expect(await page.evaluate(drawn)).toBe(true);
    expect((await page.screenshot()).length).toBeGreaterThan(20_000);
    const loaded = app.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows().find((one) => !one.webContents.getURL().includes("?"))?.webContents;
      return new Promise<void>((done) => {
        contents?.once("did-finish-load", () => done());
        contents?.forcefullyCrashRenderer();
      });
    });
    await loaded;
    const text = (): Promise<string> =>
      app.evaluate(
        ({ BrowserWindow }) =>
          BrowserWindow.getAllWindows()
            .find((one) => !one.webContents.getURL().includes("?"))
            ?.webContents.executeJavaScript("document.body.innerText") as Promise<string>,
      );
    await expect.poll(text, within).toMatch(/wait_for_all/);
    expect(started.said()).toContain("the page's process ended (crashed); the lab goes on");
  });

  test("Ctrl+Shift+Q freezes the lab, says nothing, and leaves no process", { timeout: 240_000 }, async () => {
    // Without a window manager there is no way back from it: last.
    await pressKeys(desk, "F11");
    await expect
      .poll(() => started.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().some((one) => one.isFullScreen())), within)
      .toBe(true);
    const ended = new Promise((done) => started.process.once("exit", done));
    await pressKeys(desk, "ctrl+shift+q");
    expect(await ended).toBe(0);
    expect(await desk.running()).toBe(false);
    expect(started.said()).not.toContain("not frozen");
    await expect.poll(() => desk.processes().length, within).toBe(1); // the display
  });
});
