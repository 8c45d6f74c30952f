// Puts the stand-in in Electron's place: `node --import …/register.mjs out/main/index.js` runs the built application as it is.
import * as nodeModule from "node:module";

const standin = new URL("./electron.mjs", import.meta.url).href;
// Newer Node resolves in the thread itself; Node 20 only knows the hook thread.
if ("registerHooks" in nodeModule) {
  nodeModule.registerHooks({
    resolve: (name, context, next) => (name === "electron" ? { url: standin, shortCircuit: true } : next(name, context)),
  });
} else {
  const source = `export async function resolve(name, context, next) { return name === "electron" ? { url: ${JSON.stringify(standin)}, shortCircuit: true } : next(name, context); }`;
  nodeModule.register(`data:text/javascript,${encodeURIComponent(source)}`);
}
