/** What a page must not get or do, tried out in the real Electron, point by point of Electron's own security list; docs/security.md has the table. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectRoot } from "../tidy/project.ts";
import { answer, askByChannel, asked, canElectron, Desk, opened, stubDialogs, type Started } from "./desk.ts";

const within = { timeout: 20_000 };

describe.skipIf(!canElectron)("security in Electron (skipped without one)", () => {
  let desk: Desk;
  let started: Started;
  const inPage = (expression: string): Promise<unknown> => started.page.evaluate(expression);
  const windows = (): Promise<number> => started.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
  const pages = (): Promise<number> => started.app.evaluate(({ webContents }) => webContents.getAllWebContents().length);
  const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 300));

  beforeAll(async () => {
    desk = await Desk.make();
    started = await desk.start();
    await stubDialogs(started.app);
    await started.page.locator('[data-key="node:pve3"]').first().waitFor({ timeout: 60_000 });
  }, 120_000);
  afterAll(async () => {
    await desk?.end();
  });

  test("1, 18: everything comes from app://, and app:// gives the page's files alone", async () => {
    expect(started.page.url()).toBe("app://quorate/index.html");
    const named = (await inPage('[...document.querySelectorAll("[src], link[href]")].map((one) => one.src || one.href)')) as string[];
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((name) => !/^(app:\/\/quorate\/|data:image\/svg)/.test(name))).toEqual([]);
    const paths = [
      "../package.json",
      "%2e%2e/package.json",
      "..%2f..%2fpackage.json",
      "assets/..%5c..%5cpackage.json",
      ".built",
      "index.html%00.js",
      "/etc/passwd",
      "C:/x.js",
    ];
    for (const path of paths)
      expect(await inPage(`fetch("app://quorate/" + ${JSON.stringify(path)}).then((r) => r.status, () => "refused")`), path).not.toBe(200);
    for (const url of ["file:///etc/passwd", "app://other/index.html", "https://example.com/", "http://127.0.0.1:1/", "quorate://lab/x"])
      expect(await inPage(`fetch(${JSON.stringify(url)}).then((r) => r.status, () => "refused")`), url).toSatisfy(
        (was) => was === "refused" || was === 404,
      );
    expect(await inPage(`fetch("index.html", { method: "POST" }).then((r) => r.status)`)).toBe(404);
  });

  test("2, 3, 4, 20: no Node in the page, a world of its own behind the bridge, a process in the sandbox", async () => {
    expect(await inPage("[typeof require, typeof process, typeof module, typeof global, typeof Buffer, typeof electron].join()")).toBe(
      "undefined,undefined,undefined,undefined,undefined,undefined",
    );
    expect(await inPage("Object.keys(window.host).sort().join()")).toBe("connect,face,openLab,openTerminal,platform");
    expect(
      await inPage(
        "{ const before = host.connect; try { host.connect = 1 } catch {} try { window.host = 1 } catch {} host.connect === before }",
      ),
    ).toBe(true);
    // What a page changes of its own world the preload's does not have: the bridge's functions are not the page's.
    expect(await inPage("{ try { host.connect.constructor('return process')() } catch (error) { String(error) } }")).toMatch(
      /ReferenceError|EvalError/,
    );
    const pid = await started.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId() ?? 0);
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
  });

  test("2 to 4, 6, 8 to 12: what every window is made with", async () => {
    const [alone] = await Promise.all([started.app.waitForEvent("window"), inPage('host.openTerminal("pve1")')]);
    await alone.locator(".xterm").first().waitFor();
    const preferences = await started.app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((one) =>
        (one.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }).getLastWebPreferences(),
      ),
    );
    for (const one of preferences) {
      expect(one).toMatchObject({ contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true, webviewTag: false });
      const off = [
        "nodeIntegrationInSubFrames",
        "nodeIntegrationInWorker",
        "allowRunningInsecureContent",
        "experimentalFeatures",
        "enableBlinkFeatures",
        "plugins",
        "navigateOnDragDrop",
      ];
      expect(off.filter((name) => Boolean(one[name]))).toEqual([]);
    }
    await started.app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()
        .find((one) => one.webContents.getURL().includes("terminal="))
        ?.close(),
    );
    await expect.poll(windows, within).toBe(1);
    const before = await pages();
    await inPage(
      '{ const view = document.createElement("webview"); view.setAttribute("src", "app://quorate/index.html"); view.setAttribute("allowpopups", ""); document.body.append(view); }',
    );
    await settle();
    expect(await pages()).toBe(before);
  });

  test("5: permissions are asked for and denied", async () => {
    const ask = `Promise.all([
      Notification.requestPermission(),
      new Promise((done) => navigator.geolocation.getCurrentPosition(() => done("given"), ({ code }) => done(code), { timeout: 5000 })),
      navigator.mediaDevices.getUserMedia({ audio: true, video: true }).then(() => "given", ({ name }) => name),
      navigator.mediaDevices.getDisplayMedia().then(() => "given", ({ name }) => name),
      navigator.requestMIDIAccess({ sysex: true }).then(() => "given", ({ name }) => name),
      (async () => (await navigator.usb.getDevices()).length)().catch(({ name }) => name),
      window.queryLocalFonts ? queryLocalFonts().then((all) => all.length, ({ name }) => name) : 0,
    ])`;
    expect(await inPage(ask)).toEqual([
      "denied",
      1,
      // There may be no camera to deny.
      expect.stringMatching(/^Not(Allowed|Found)Error$/),
      "NotAllowedError",
      "NotAllowedError",
      "SecurityError",
      0,
    ]);
    for (const name of ["geolocation", "notifications", "camera", "microphone", "midi", "background-sync"])
      expect(await inPage(`navigator.permissions.query({ name: "${name}" }).then(({ state }) => state, () => "denied")`), name).not.toBe(
        "granted",
      );
  });

  test("7: the policy holds against what it forbids", async () => {
    const tried = `new Promise((done) => {
      const seen = [];
      document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => seen.push(effectiveDirective));
      const add = (tag, properties) => document.body.append(Object.assign(document.createElement(tag), properties));
      add("script", { textContent: "window.foreign = 1" });
      add("script", { src: "https://example.com/x.js" });
      add("img", { src: "https://example.com/x.png" });
      add("iframe", { src: "https://example.com/" });
      add("object", { data: "https://example.com/x.swf" });
      add("link", { rel: "stylesheet", href: "https://example.com/x.css" });
      fetch("https://example.com/").catch(() => 0);
      try { new Worker("https://example.com/w.js") } catch {}
      const form = Object.assign(document.createElement("form"), { action: "https://example.com/" });
      document.body.append(form);
      form.submit();
      setTimeout(() => done([...new Set(seen)].sort()), 500);
    })`;
    expect(await inPage(tried)).toEqual(
      expect.arrayContaining(["connect-src", "form-action", "frame-src", "img-src", "object-src", "script-src-elem", "style-src-elem"]),
    );
    expect(await inPage("typeof window.foreign")).toBe("undefined");
    expect(
      await inPage('new Promise((done) => setTimeout(() => { try { done((0, eval)("1")) } catch (error) { done(error.name) } }))'),
    ).toBe("EvalError");
  });

  test("13: nothing leads away", async () => {
    for (const url of ["https://example.com/", "file:///etc/passwd", "app://other/index.html", "data:text/html,x", "quorate://lab/x"]) {
      await inPage(`void setTimeout(() => (location.href = ${JSON.stringify(url)}))`);
      await settle();
      expect(started.page.url(), url).toBe("app://quorate/index.html");
    }
  });

  test("14, 15: no window of a page's own; an address of the web goes to the browser after a look at the whole of it", async () => {
    const { app } = started;
    await asked(app);
    const before = await pages();
    for (const url of [
      "file:///etc/passwd",
      "javascript:alert(1)",
      "smb://host/share",
      "app://quorate/index.html",
      "about:blank",
      "https://user:pass@example.com/",
      "quorate://lab/x",
    ])
      await inPage(`void window.open(${JSON.stringify(url)})`);
    await settle();
    expect(await asked(app)).toEqual([]);
    const address = `https://example.com/${"a".repeat(150)}?where=to#there`;
    await inPage(`void window.open(${JSON.stringify(address)})`);
    await expect
      .poll(() => asked(app), within)
      .toEqual([{ kind: "question", title: "Open this address in your browser?", detail: address }]);
    expect(await opened(app)).toEqual([]);
    await answer(app, { response: 0 });
    await inPage(`void window.open(${JSON.stringify(address)})`);
    await expect.poll(() => opened(app), within).toEqual([address]);
    expect(await pages()).toBe(before);
  });

  test("17: who is not our page's main frame gets no channel, and what has not the right shape is not heard", async () => {
    expect(
      await inPage(
        '{ const frame = document.createElement("iframe"); frame.srcdoc = "<p>inside</p>"; document.body.append(frame); typeof frame.contentWindow.host }',
      ),
    ).toBe("undefined");
    const given = await started.app.evaluate(({ BrowserWindow, ipcMain }) => {
      const sender = BrowserWindow.getAllWindows()[0]?.webContents;
      const got: string[] = [];
      const frames = [
        { url: "https://example.com/", parent: null },
        { url: "app://other/index.html", parent: null },
        { url: "app://quorate.example/index.html", parent: null },
        { url: "file:///index.html", parent: null },
        { url: "app://quorate/index.html", parent: {} },
      ].map((frame) => ({ ...frame, postMessage: () => void got.push(JSON.stringify(frame)) }));
      for (const senderFrame of [...frames, null]) {
        ipcMain.emit("quorate:connect", { sender, senderFrame });
        ipcMain.emit("quorate:terminal", { sender, senderFrame }, "pve1");
      }
      return got;
    });
    expect(given).toEqual([]);
    const wrong = [
      'host.openLab("/etc")',
      "host.openLab({})",
      'host.openLab("x".repeat(10000))',
      'host.openTerminal("../../etc/passwd")',
      'host.openTerminal("")',
    ];
    for (const one of wrong) await inPage(`void ${one}`);
    await settle();
    expect(await windows()).toBe(1);
    expect(await inPage(askByChannel({ id: 7, request: { op: "time" } }))).toMatchObject({
      id: 7,
      ok: true,
      result: { speed: 1, paused: false },
    });
    expect(await inPage(askByChannel({ id: 8, request: { op: "speed", speed: 1000 } }))).toMatchObject({ id: 8, ok: false });
    expect(await inPage(askByChannel({ id: 9, request: { op: "no-such-thing" } }))).toMatchObject({
      id: 9,
      ok: false,
      error: { code: "usage" },
    });
    expect(await inPage(askByChannel("nonsense"))).toMatchObject({ id: 0, ok: false, error: { code: "usage" } });
  });

  test("16: what ships is the Electron that package.json names, and nothing of the one for tests", () => {
    const manifest = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as Record<string, Record<string, string>>;
    expect(Number.parseInt(manifest["devDependencies"]?.["electron"] ?? "", 10)).toBeGreaterThanOrEqual(45);
    const all = { ...manifest["dependencies"], ...manifest["devDependencies"], ...manifest["optionalDependencies"] };
    expect(Object.keys(all).filter((name) => /cypress/.test(name))).toEqual([]);
  });
});
