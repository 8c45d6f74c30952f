// Puts the stand-in in Electron's place: `node --import …/register.mjs out/main/index.js` runs the built application as it is.
import { registerHooks } from "node:module";
import { register } from "node:module";

const standin = new URL("./electron.mjs", import.meta.url).href;
if (registerHooks !== undefined) {
  registerHooks({ resolve: (name, context, next) => (name === "electron" ? { url: standin, shortCircuit: true } : next(name, context)) });
} else {
  const source = `export async function resolve(name, context, next) { return name === "electron" ? { url: ${JSON.stringify(standin)}, shortCircuit: true } : next(name, context); }`;
  register(`data:text/javascript,${encodeURIComponent(source)}`);
}
