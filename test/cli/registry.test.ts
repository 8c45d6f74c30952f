/** The list of labs of a person: none is lost, however many are made at once; those that were listed before still are. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { forgetLab, knownLabs, rememberLab } from "../../src/main/lab/store/registry.ts";
import { stateDir } from "../../src/main/lab/store/paths.ts";

const registry = pathToFileURL(resolve(import.meta.dirname, "../../src/main/lab/store/registry.ts")).href;
const before = process.env["XDG_STATE_HOME"];
let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-registry-"));
  process.env["XDG_STATE_HOME"] = dir;
});

afterEach(() => {
  if (before === undefined) delete process.env["XDG_STATE_HOME"];
  else process.env["XDG_STATE_HOME"] = before;
  rmSync(dir, { recursive: true, force: true });
});

/** A process that remembers and forgets labs, as several `up` and `rm` at once do. */
function busy(name: string): Promise<number | null> {
  const program = `import { forgetLab, rememberLab } from ${JSON.stringify(registry)};
    for (let i = 0; i < 30; i++) { rememberLab("/labs/${name}-" + i); if (i % 2 === 1) forgetLab("/labs/${name}-" + i); }`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((done) => child.on("close", done));
}

test("labs that are made and deleted at once by three processes are listed, and no others", async () => {
  expect(await Promise.all(["a", "b", "c"].map(busy))).toEqual([0, 0, 0]);
  const wanted = ["a", "b", "c"].flatMap((name) => Array.from({ length: 15 }, (_, i) => `/labs/${name}-${i * 2}`));
  expect(knownLabs().sort()).toEqual(wanted.sort());
});

test("a lab is listed once, in the order they were made, and so are those of an older list", () => {
  if (process.platform !== "linux") return;
  mkdirSync(stateDir(), { recursive: true });
  writeFileSync(join(stateDir(), "labs.json"), JSON.stringify(["/labs/old", "/labs/older"]));
  for (const lab of ["/labs/z", "/labs/old", "/labs/z"]) rememberLab(lab);
  expect(knownLabs()).toEqual(["/labs/old", "/labs/older", "/labs/z"]);
  forgetLab("/labs/old");
  forgetLab("/labs/none");
  expect(knownLabs()).toEqual(["/labs/older", "/labs/z"]);
});
