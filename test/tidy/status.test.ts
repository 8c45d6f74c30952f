/** docs/json.md names every key of a machine's status, as the schema has it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "./project.ts";
import { BEGIN, END, statusTable } from "./status-table.ts";

const path = join(projectRoot, "docs", "json.md");

test("the keys of a machine in docs/json.md are those of the schema", () => {
  const text = readFileSync(path, "utf8");
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  expect(from).toBeGreaterThan(0);
  expect(to).toBeGreaterThan(from);
  const table = `${BEGIN}\n\n${statusTable()}\n\n`;
  if (process.env["QUORATE_REWRITE"] === "1") writeFileSync(path, text.slice(0, from) + table + text.slice(to));
  else expect(text.slice(from, to)).toBe(table);
});

test("the table tells lists, choices, what may be null and what may be absent", () => {
  const table = statusTable();
  expect(table).toMatch(/^\| `power` +\| `on` `off` `stalled` +\|/m);
  expect(table).toMatch(/^\| `corosync` +\| object or null +\| null where the daemon does not run +\|/m);
  expect(table).toMatch(/^\| `corosync.links\[\].to` +\| number +\| id of the node at the other end +\|/m);
  expect(table).toMatch(/^\| `corosync.token.heldUntil` +\| number, may be absent +\|/m);
});
