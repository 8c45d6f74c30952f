// A stand-in for Electron: the parts of its API that the application uses, over a Chromium of the system driven by playwright-core.
// It runs the real main, preload and page. It proves nothing about Electron's own isolation. Whoever started the process drives it through lines
// of JSON on stdin and reads what happened from stdout (see driver.ts).
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const pretended = "https://quorate.standin";
const real = "app://quorate";
const pageSide = readFileSync(new URL("./page-side.js", import.meta.url), "utf8");
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

let handler;
let browser;
let menu = [];
const windows = new Map();
const answers = [];

export const app = Object.assign(new EventEmitter(), {
  requestSingleInstanceLock: () => true,
  enableSandbox: () => undefined,
  setPath: () => undefined,
  isPackaged: false,
  commandLine: { hasSwitch: () => false },
  async whenReady() {
    browser = await chromium.launch({
      executablePath: process.env.QUORATE_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  },
  quit() {
    let prevented = false;
    app.emit("before-quit", { preventDefault: () => (prevented = true) });
    if (!prevented) app.exit(0);
  },
  exit(status) {
    tell({ exit: status });
    void (browser?.close() ?? Promise.resolve()).finally(() => process.exit(status));
  },
});

export const ipcMain = new EventEmitter();

export const protocol = {
  registerSchemesAsPrivileged: (schemes) => tell({ schemes: schemes.map((scheme) => scheme.scheme) }),
  handle(scheme, answer) {
    if (scheme === "app") handler = answer;
  },
};

class Port extends EventEmitter {
  #queue = [];
  #deliver;
  send = (data) => this.#queue.push({ data });
  postMessage(data) {
    this.send(data);
  }
  start() {
    this.#deliver = (message) => this.emit("message", message);
    for (const message of this.#queue.splice(0)) this.#deliver(message);
  }
  arrive(data) {
    if (this.#deliver) this.#deliver({ data });
    else this.#queue.push({ data });
  }
  close() {
    this.emit("close");
  }
}

export class MessageChannelMain {
  constructor() {
    this.port1 = new Port();
    this.port2 = new Port();
    this.port2.peer = this.port1;
  }
}

let ids = 0;

export class BrowserWindow extends EventEmitter {
  static getAllWindows = () => [...windows.values()];
  static getFocusedWindow = () => [...windows.values()].at(-1) ?? null;
  static fromId = (id) => windows.get(id) ?? null;
  static fromWebContents = (contents) => [...windows.values()].find((window) => window.webContents === contents) ?? null;

  constructor(options) {
    super();
    this.id = ++ids;
    this.options = options;
    this.ports = new Map();
    this.webContents = Object.assign(new EventEmitter(), {
      setWindowOpenHandler: (decide) => (this.decideOpen = decide),
      send: (channel, ...args) => void this.deliver(channel, args, []),
      setZoomLevel: () => undefined,
      getZoomLevel: () => 0,
      reload: () => void this.page.reload(),
    });
    windows.set(this.id, this);
    const { contextIsolation, sandbox, nodeIntegration } = options.webPreferences;
    tell({ window: this.id, contextIsolation, sandbox, nodeIntegration });
    app.emit("web-contents-created", {}, this.webContents);
    app.emit("browser-window-created", {}, this);
  }

  async loadURL(url) {
    const context = await browser.newContext({ viewport: { width: this.options.width, height: this.options.height } });
    this.page = await context.newPage();
    this.page.on("console", (message) => tell({ console: message.type(), text: message.text() }));
    this.page.on("pageerror", (error) => tell({ console: "error", text: String(error) }));
    this.page.on("close", () => this.#closed());
    await context.route("**/*", (route) => this.#serve(route));
    await this.page.exposeBinding("__standin", (_source, message) => this.#fromPage(message));
    const preload = readFileSync(this.options.webPreferences.preload, "utf8");
    await this.page.addInitScript(
      `${pageSide}\n(function (require, exports, process) {\n${preload}\n})(window.__standinRequire, {}, { platform: "linux" });`,
    );
    await this.page.goto(url.replace(real, pretended));
    tell({ loaded: this.id, url });
    this.emit("ready-to-show");
  }

  /** What app:// would be asked for is asked of the application's own handler; everything else is a way out, and refused. */
  async #serve(route) {
    const request = route.request();
    const target = request.url().replace(pretended, real);
    const leaves = request.isNavigationRequest() && this.page.url().startsWith(pretended);
    // 204: the browser stays where it is, as Electron does.
    if (leaves && this.#navigationDenied(target)) return route.fulfill({ status: 204 });
    if (!target.startsWith(`${real}/`)) {
      tell({ refused: target });
      return route.abort();
    }
    const response = await handler(new Request(target, { method: request.method() }));
    await route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }

  #navigationDenied(url) {
    let prevented = false;
    this.webContents.emit("will-navigate", { preventDefault: () => (prevented = true), url }, url);
    if (prevented) tell({ denied: url });
    return prevented;
  }

  #fromPage(message) {
    if (message.send !== undefined) {
      const senderFrame = {
        url: this.page.url().replace(pretended, real),
        parent: null,
        postMessage: (channel, body, ports) => void this.deliver(channel, body === null ? [] : [body], ports),
      };
      ipcMain.emit(message.send, { sender: this.webContents, senderFrame }, ...message.args);
    } else this.ports.get(message.port)?.arrive(message.data);
  }

  async deliver(channel, args, ports) {
    const portIds = ports.map((port) => {
      const id = ++ids;
      this.ports.set(id, port.peer);
      port.peer.send = (data) => void this.#evaluate(([to, body]) => window.__standinPort(to, body), [id, data]);
      return id;
    });
    await this.#evaluate(([name, body, given]) => window.__standinDeliver(name, body, given), [channel, args, portIds]);
  }

  /** A page that is closing cannot be talked to any more. */
  #evaluate(work, argument) {
    return this.page.evaluate(work, argument).catch((error) => {
      if (!this.page.isClosed()) throw error;
    });
  }

  #closed() {
    if (!windows.delete(this.id)) return;
    for (const port of this.ports.values()) port.emit("close");
    this.emit("closed");
    if (windows.size === 0) app.emit("window-all-closed");
  }

  close() {
    this.emit("close");
    void this.page.close();
  }
  show() {
    tell({ shown: this.id });
  }
  focus() {
    tell({ focused: this.id });
  }
  maximize() {}
  isMinimized = () => false;
  isDestroyed = () => !windows.has(this.id);
  isMaximized = () => false;
  getNormalBounds = () => ({ x: 10, y: 10, width: 1440, height: 900 });
}

export const Menu = {
  buildFromTemplate: (template) => template,
  setApplicationMenu: (template) => (menu = template),
};

const answered = (what, fallback) => {
  tell({ dialog: what });
  return Promise.resolve(answers.shift() ?? fallback);
};

/** A parent window may come before the options. */
const optionsOf = (args) => args.at(-1);

export const dialog = {
  showOpenDialog: (...args) => answered(optionsOf(args).title, { canceled: true, filePaths: [] }),
  showMessageBox: (...args) => answered(optionsOf(args).message, { response: 1 }),
  showSaveDialogSync: () => undefined,
  showErrorBox: (title, text) => tell({ errorBox: title, text }),
};

export const nativeTheme = { shouldUseDarkColors: false };
export const screen = { getDisplayMatching: () => ({ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }) };
export const shell = { openExternal: async (url) => tell({ external: url }), showItemInFolder: (path) => tell({ folder: path }) };
export const session = {
  defaultSession: {
    on: () => undefined,
    setDevicePermissionHandler: () => undefined,
    setPermissionRequestHandler(decide) {
      this.request = decide;
    },
    setPermissionCheckHandler(decide) {
      this.check = decide;
    },
  },
};

function findItem(items, label) {
  for (const item of items) {
    if (item.label === label) return item;
    const inside = Array.isArray(item.submenu) ? findItem(item.submenu, label) : undefined;
    if (inside) return inside;
  }
  return undefined;
}

/** One command of the driver. */
async function obey({ evaluate, menu: label, answer, open, permission, close, quit, screenshot }) {
  const window = BrowserWindow.getFocusedWindow();
  if (evaluate !== undefined) return await window.page.evaluate(evaluate);
  if (screenshot !== undefined) return void (await window.page.screenshot({ path: screenshot }));
  if (label !== undefined) return void findItem(menu, label).click();
  if (answer !== undefined) return void answers.push(answer);
  if (open !== undefined) return window.decideOpen({ url: open });
  if (permission !== undefined) return session.defaultSession.check(window.webContents, permission, real);
  if (close !== undefined) return window.close();
  if (quit !== undefined) return app.quit();
  throw new Error("no such command");
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ...command } = JSON.parse(line);
  obey(command).then(
    (result) => tell({ id, result: result ?? null }),
    (error) => tell({ id, error: String(error) }),
  );
});
