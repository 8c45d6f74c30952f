/** The exclusions of a suite with their counts, printed and kept for the end of `npm test`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Ledger } from "./ledger.ts";

const DIR = fileURLToPath(new URL("../../test-results/exclusions/", import.meta.url));

export function keepTable(ledger: Ledger): void {
  const table = ledger.table();
  mkdirSync(DIR, { recursive: true });
  writeFileSync(`${DIR}${ledger.title.replaceAll(" ", "-")}.txt`, `${table}\n`);
  console.log(table);
}
