/** What a page may ask of the application: its channel, the window of another lab, a terminal in a window of its own. Each is asked by our own page's main frame, in the right shape, or not heard. */
import { BrowserWindow, ipcMain, MessageChannelMain, type IpcMainEvent, type WebFrameMain } from "electron";
import { z } from "zod";
import { connectLab } from "../lab/process/client.ts";
import { joinPort } from "./bridge.ts";
import type { Labs } from "./labs.ts";
import { pageOrigin } from "./page.ts";

const directory = z.string().min(1).max(4096);
const nodeName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$/);

/** The frame that asks, if it is the whole page of one of our windows: a frame inside it, or a page from elsewhere, is nobody. */
function asker({ sender, senderFrame }: IpcMainEvent): { frame: WebFrameMain; window: BrowserWindow } | undefined {
  const window = BrowserWindow.fromWebContents(sender);
  if (senderFrame === null || window === null) return undefined;
  const own = senderFrame.url.startsWith(`${pageOrigin}/`) && senderFrame.parent === null;
  return own ? { frame: senderFrame, window } : undefined;
}

/** @param open opens the window of a lab that a page names */
export function hearPages(labs: Labs, open: (dir: string) => void): void {
  ipcMain.on("quorate:connect", (event, ...args) => {
    const from = args.length === 0 ? asker(event) : undefined;
    const lab = from && labs.of(from.window);
    if (from !== undefined && lab !== undefined) void connectPage(from.frame, lab.dir);
  });
  ipcMain.on("quorate:open", (event, dir: unknown) => {
    const named = directory.safeParse(dir);
    if (asker(event) !== undefined && named.success) open(named.data);
  });
  ipcMain.on("quorate:terminal", (event, node: unknown) => {
    const from = asker(event);
    const named = nodeName.safeParse(node);
    if (from !== undefined && named.success) void labs.terminal(from.window, named.data);
  });
}

/** A new connection to the lab behind a MessagePort. */
async function connectPage(frame: WebFrameMain, dir: string): Promise<void> {
  const { port1, port2 } = new MessageChannelMain();
  frame.postMessage("quorate:channel", null, [port2]);
  const client = await connectLab(dir).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  if (typeof client === "string") {
    port1.start();
    port1.postMessage({ event: "gone", reason: client });
    port1.close();
  } else joinPort(port1, client.channel);
}
