/** The bridge, the whole of it: the page may ask for its channel to the lab, and gets one end of a MessagePort. Runs sandboxed, in a world of its own. */
import { contextBridge, ipcRenderer } from "electron";

contextBridge.exposeInMainWorld("host", {
  face: "desktop",
  platform: process.platform,
  /** Asks for a channel. The port comes as a message "channel" on the window. */
  connect: () => ipcRenderer.send("quorate:connect"),
  /** Asks for the window of another lab on this computer's list. */
  openLab: (dir: unknown) => ipcRenderer.send("quorate:open", String(dir)),
  /** Asks for a window with the terminal of a node. */
  openTerminal: (node: unknown) => ipcRenderer.send("quorate:terminal", String(node)),
});

ipcRenderer.on("quorate:channel", (event) => {
  window.postMessage("channel", window.location.origin, [...event.ports]);
});

/** What the menu asks of the page: "export", "palette". */
ipcRenderer.on("quorate:menu", (_event, what: unknown) => {
  window.postMessage({ menu: what }, window.location.origin);
});
