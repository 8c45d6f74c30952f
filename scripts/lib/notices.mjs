// The notices for what others wrote and this program ships: every package of which something went into a built file, and every package that is installed beside them. Each needs a
// licence text, and none may be under the GPL, the LGPL or the AGPL.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./setup.mjs";

const parts = ["main", "preload", "renderer"];

/** Code of other packages that a package brings in its own files. */
const inside = { "just-bash": ["re2js"] };

/** What a package's own files do not say. */
const remarks = {
  zeromq:
    "The compiled parts contain libzmq, under the Mozilla Public License 2.0. Its source is at https://github.com/zeromq/libzmq, the version is named in\n" +
    "vcpkg.json of https://github.com/zeromq/zeromq.js; nothing in it was changed here.",
  "@photostructure/sqlite": "The compiled parts contain SQLite, which is in the public domain: https://sqlite.org/copyright.html",
};

/** Packages that bring no text of their licence say which it is; this is its text. */
const standard = {
  MIT: (holder) => `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

/** Directories of the packages that are installed beside the built files: production dependencies, for this system. */
export function installedBeside() {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(packages)
    .filter(([path, entry]) => path !== "" && !entry.dev && !entry.devOptional && existsSync(join(root, path)))
    .map(([path]) => path);
}

/** Directories of the packages of which something is in a built file. */
function bundled() {
  const dirs = parts.flatMap((part) => JSON.parse(readFileSync(join(root, `out/.bundled-${part}.json`), "utf8")));
  const paths = dirs.map((dir) => relative(root, dir).replaceAll("\\", "/"));
  return [...paths, ...paths.flatMap((path) => (inside[path.replace("node_modules/", "")] ?? []).map((name) => `node_modules/${name}`))];
}

function textIn(path) {
  const names = readdirSync(join(root, path)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return names
    .sort()
    .map((name) => readFileSync(join(root, path, name), "utf8").trim())
    .join("\n\n");
}

/** A package with its licence: `{ path, name, version, licence, text, remark }`; `text` is empty where there is none. */
function packageAt(path) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
  const own = textIn(path);
  const licence = license ?? (/^(The )?MIT License/i.test(own) ? "MIT" : "unknown");
  // The parts for one system come without what their package has.
  const parent = path.replace(/-(linux|darwin|win32)-\w+$/, "");
  const shared = own === "" && parent !== path && existsSync(join(root, parent)) ? textIn(parent) : own;
  const holder = typeof author === "string" ? author : (author?.name ?? `the authors of ${name}`);
  return { path, name, version, licence, text: shared || (standard[licence]?.(holder) ?? ""), remark: remarks[name] };
}

/** Everything of others that ships, by name. */
export function shippedPackages() {
  const paths = [...new Set([...bundled(), ...installedBeside()])];
  return paths.map(packageAt).sort((a, b) => (a.name + a.version < b.name + b.version ? -1 : 1));
}

/** What is wrong with a package that ships, in a sentence; undefined: nothing. */
export function objection({ name, version, licence, text }) {
  if (text === "") return `${name} ${version} ships without the text of its licence (${licence})`;
  // A choice of licences is a choice for the other one.
  const free = licence.split(/\s+OR\s+/i).some((choice) => !/\b(A|L)?GPL\b/i.test(choice.replace(/[()]/g, "")));
  return free && licence !== "unknown" ? undefined : `${name} ${version} ships under ${licence}`;
}

/** Writes them into the built files. Returns what is wrong. */
export function writeNotices() {
  const packages = shippedPackages();
  const rule = "─".repeat(100);
  const entries = packages.map(({ name, version, licence, text, remark }) =>
    [rule, `${name} ${version} (${licence})`, "", ...(remark === undefined ? [] : [remark, ""]), text, ""].join("\n"),
  );
  const opening = "Quorate contains, or is installed with, the following works of others.\n\n";
  writeFileSync(join(root, "out/THIRD-PARTY.txt"), opening + entries.join("\n"));
  return packages.flatMap((one) => objection(one) ?? []);
}
