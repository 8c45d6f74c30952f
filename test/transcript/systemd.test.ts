/**
 * systemd told as transcripts: each file under systemd/ is read from top to bottom; a line is a command (after `$` one typed on the machine), what follows `----` up to the next
 * empty line is what was printed and logged meanwhile. `QUORATE_REWRITE=1` writes the files anew, for a person to read the difference.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SystemdTeller } from "./systemd-teller.ts";

const DIR = new URL("./systemd/", import.meta.url);

/** Replays a transcript and returns it with what really happened. An empty line of an answer is written as a dot, as empty lines part the blocks. */
function retell(text: string): string {
  const teller = new SystemdTeller();
  const told = text
    .trimEnd()
    .split("\n\n")
    .map((block) => {
      const commands = block.split("\n----\n")[0]?.split("\n") ?? [];
      const answer = commands
        .flatMap((line) => (line.startsWith("#") ? [] : teller.run(line)))
        .map((line) => (line === "" ? "." : line.trimEnd()));
      return [...commands, ...(answer.length > 0 ? ["----", ...answer] : [])].join("\n");
    });
  return `${told.join("\n\n")}\n`;
}

for (const file of readdirSync(DIR).filter((f) => f.endsWith(".txt"))) {
  test(`transcript ${file}`, () => {
    const url = new URL(file, DIR);
    const text = readFileSync(url, "utf8");
    const told = retell(text);
    if (process.env["QUORATE_REWRITE"] === "1") writeFileSync(url, told);
    else expect(told).toBe(text);
  });
}
