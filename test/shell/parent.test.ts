/** A program that runs a person's lines, and the process that started it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";

/** Busy from its first message until `gone` is there, so that it cannot have heard of its parent's end when it speaks. */
const SPEAKER = (told: string, dir: string): string => `
import { existsSync, writeFileSync } from "node:fs";
import { tellParent } from ${JSON.stringify(told)};
process.on("uncaughtException", (error) => { writeFileSync(${JSON.stringify(join(dir, "end"))}, String(error)); process.exit(1); });
process.on("message", () => {
  writeFileSync(${JSON.stringify(join(dir, "busy"))}, "");
  while (!existsSync(${JSON.stringify(join(dir, "gone"))}));
  for (let i = 0; i < 3; i++) tellParent({ kind: "beat" });
  setTimeout(() => { writeFileSync(${JSON.stringify(join(dir, "end"))}, "fine"); process.exit(0); }, 100);
});
`;

const PARENT = (speaker: string): string => `
import { fork } from "node:child_process";
fork(${JSON.stringify(speaker)}, [], { execArgv: process.execArgv }).send("speak");
setInterval(() => undefined, 1000);
`;

it("a parent that has just gone is no fault of whoever still tells it something", async () => {
  const dir = mkdtempSync(join(tmpdir(), "quorate-parent-"));
  const [parent, speaker] = ["parent.mjs", "speaker.mjs"].map((name) => join(dir, name)) as [string, string];
  const there = async (name: string): Promise<void> => {
    for (let i = 0; i < 3000 && !existsSync(join(dir, name)); i++) await wallMs(10);
  };
  writeFileSync(parent, PARENT(speaker));
  writeFileSync(speaker, SPEAKER(new URL("../../src/main/shell/parent.ts", import.meta.url).href, dir));
  const child = fork(parent, [], {
    execArgv: ["--import", pathToFileURL(join(import.meta.dirname, "../../node_modules/tsx/dist/loader.mjs")).href],
  });
  try {
    await there("busy");
    child.kill("SIGKILL");
    await once(child, "exit");
    writeFileSync(join(dir, "gone"), "");
    await there("end");
    expect(readFileSync(join(dir, "end"), "utf8")).toBe("fine");
  } finally {
    child.kill("SIGKILL");
    writeFileSync(join(dir, "gone"), "");
    rmSync(dir, { recursive: true, force: true });
  }
});
