// Runs in every page before anything else: the sandboxed preload's `require("electron")`, made of what a browser has.
// Not a module: it is put in front of the built preload. The two meet the stand-in through the binding __standin.
(() => {
  const listeners = new Map();
  const ports = new Map();
  const ipcRenderer = {
    send: (channel, ...args) => void window.__standin({ send: channel, args }),
    on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
  };
  const contextBridge = { exposeInMainWorld: (name, api) => Object.defineProperty(window, name, { value: Object.freeze(api) }) };
  window.__standinDeliver = (channel, args, portIds) => {
    const own = portIds.map((id) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = (event) => void window.__standin({ port: id, data: event.data });
      ports.set(id, port1);
      return port2;
    });
    for (const listener of listeners.get(channel) ?? []) listener({ ports: own }, ...args);
  };
  window.__standinPort = (id, data) => ports.get(id)?.postMessage(data);
  window.__standinRequire = (name) => {
    if (name !== "electron") throw new Error(`a sandboxed preload has no ${name}`);
    return { ipcRenderer, contextBridge };
  };
})();
