// node scripts/unit-files.mjs: writes resources/units into the engine as a module, which has no other way to files. Run it after a change there; test/tidy compares.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { root } from "./lib/setup.mjs";

const from = join(root, "resources/units");
const to = join(root, "src/engine/machine/systemd/unit-files.ts");

const { packages } = JSON.parse(readFileSync(join(from, "packages.json"), "utf8"));
const literal = (text) => `\`${text.replace(/[\\`]|\$\{/g, "\\$&")}\``;
const rows = packages.map(({ name, files, links, scripts }) => {
  const texts = files.map((file) => `{ name: ${JSON.stringify(file)}, text: ${literal(readFileSync(join(from, file), "utf8"))} }`);
  return `{ name: ${JSON.stringify(name)}, files: [${texts.join(",")}], links: ${JSON.stringify(links)}, scripts: ${JSON.stringify(scripts)} }`;
});
const text = `/**
 * The unit files that come with each package of a node, and the links that say what is enabled: resources/units as a module. Written by scripts/unit-files.mjs; change the
 * files there, not here. In the real stack: what dpkg unpacks to /lib/systemd/system and deb-systemd-helper links.
 */

export interface UnitPackage {
  readonly name: string;
  /** Below /lib/systemd/system. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Init scripts of the time before, in /etc/init.d. */
  readonly scripts: readonly { readonly name: string; readonly text: string }[];
}

export const UNIT_PACKAGES: readonly UnitPackage[] = [${rows.join(",")}];
`;
const options = await resolveConfig(to);
writeFileSync(to, await format(text, { ...options, filepath: to }));
