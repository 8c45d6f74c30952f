/** The table of everything a machine's status holds, printed from its schema: docs/json.md carries it, and the tests hold the two together. */
import { z } from "zod";
import { machineStatus } from "../../src/engine/kernel/status.ts";

export const BEGIN = "<!-- keys of a machine: printed from the schema by QUORATE_REWRITE=1 npm test -- tidy -->";
export const END = "<!-- end of keys -->";

interface Schema {
  type?: string | string[];
  description?: string;
  properties?: { [key: string]: Schema };
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  enum?: string[];
  required?: string[];
}

/** The part of a schema that says what is there where anything is. */
function present(schema: Schema): { schema: Schema; nullable: boolean } {
  const others = schema.anyOf?.filter(({ type }) => type !== "null");
  const [only] = others ?? [];
  return only === undefined ? { schema, nullable: false } : { schema: only, nullable: true };
}

function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(" ");
  if (schema.type === "array") return `list of ${typeText(schema.items ?? {})}`;
  if (typeof schema.additionalProperties === "object") return `by name: ${typeText(schema.additionalProperties)}`;
  return String(schema.type);
}

function rows(schema: Schema, path: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const { schema: there, nullable } = present(value);
    const at = `${path}${key}`;
    const optional = schema.required?.includes(key) === false;
    const type = `${typeText(there)}${nullable ? " or null" : ""}${optional ? ", may be absent" : ""}`;
    const below = there.type === "array" ? rows(there.items ?? {}, `${at}[].`) : rows(there, `${at}.`);
    return [[`\`${at}\``, type, value.description ?? there.description ?? ""], ...below];
  });
}

/** Markdown as Prettier leaves it. */
export function statusTable(): string {
  const all = [["key", "value", "meaning"], ...rows(z.toJSONSchema(machineStatus) as Schema, "")].map((row) =>
    row.map((cell) => cell.replaceAll("|", "\\|")),
  );
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = all;
  return [line(head), `| ${widths.map((n) => "-".repeat(n)).join(" | ")} |`, ...body.map(line)].join("\n");
}
