/** Every line of lines.txt, typed on a new machine. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { sh } from "./machine.ts";

interface Case {
  typed: string;
  out: string;
  err: string;
  status: number;
}

function cases(text: string): Case[] {
  const found: Case[] = [];
  for (const block of text.split(/^(?=\$ )/m).slice(1)) {
    const made: Case = { typed: "", out: "", err: "", status: 0 };
    // an empty line, or a heading, ends the output of the last line of a group
    for (const line of block
      .replace(/\n\n# [^\n]*\n$/, "\n")
      .replace(/\n+$/, "\n")
      .split("\n")
      .slice(0, -1)) {
      if (line.startsWith("$ ")) made.typed = line.slice(2);
      else if (line.startsWith("? ")) made.status = Number(line.slice(2));
      else if (line.startsWith("! ")) made.err += `${line.slice(2)}\n`;
      else made.out += `${line}\n`;
    }
    found.push(made);
  }
  return found;
}

const all = cases(readFileSync(fileURLToPath(new URL("lines.txt", import.meta.url)), "utf8"));

describe("a line typed on a node", () => {
  it("the file holds what it should", () => expect(all.length).toBeGreaterThan(120));

  for (const { typed, out, err, status } of all) {
    it(typed, async () => {
      expect(await sh(typed)).toEqual({ status, out, err });
    });
  }
});
