/**
 * Files as they are met in the field, in shapes/: written for this test, each with what is expected of it beside it (NAME.expect): how it imports, whether it prints
 * as it stands, and every finding of the checker. What the checker calls an error, corosync 3.1.7 refused (shown by its own -t and start); the rest it took.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkConf, importConf, parseConf, printConf } from "../../src/engine/config/index.ts";
import { importedLab } from "../../src/main/lab/file/import.ts";

const dir = join(import.meta.dirname, "shapes");
const shapes = readdirSync(dir)
  .filter((name) => name.endsWith(".conf"))
  .map((name) => name.slice(0, -".conf".length))
  .sort();

/** What the expectation beside a shape says, from the shape itself. */
function told(text: string): string {
  const outcome = importConf(text);
  const parsed = parseConf(text);
  const lines = [
    outcome.ok
      ? `import: ${outcome.cluster.clusterName}, ${outcome.cluster.nodes.map((n) => `${n.name}(${n.nodeId})`).join(" ")}`
      : "import: refused",
    ...(outcome.ok
      ? outcome.cluster.networks.map((n) => `  ${n.name} ${n.cidr}${n.priority === undefined ? "" : ` priority ${n.priority}`}`)
      : []),
    `print: ${parsed.errors.length > 0 ? "does not parse" : printConf(parsed.conf) === text ? "as it stands" : "anew"}`,
    ...checkConf(text).map((f) => `${f.line}:${f.column} ${f.severity} ${f.code}`),
  ];
  return `${lines.join("\n")}\n`;
}

describe("shapes of corosync.conf", () => {
  test("there are at least twenty, each with its expectation", () => {
    expect(shapes.length).toBeGreaterThanOrEqual(20);
    expect(readdirSync(dir).sort()).toEqual(shapes.flatMap((name) => [`${name}.conf`, `${name}.expect`]).sort());
  });

  test.each(shapes)("%s", (name) => {
    const text = readFileSync(join(dir, `${name}.conf`), "utf8");
    expect(told(text)).toBe(readFileSync(join(dir, `${name}.expect`), "utf8"));
    const parsed = parseConf(text);
    if (parsed.errors.length === 0) {
      // printing loses nothing but comments and spacing
      const printed = printConf(parsed.conf);
      const again = parseConf(printed);
      expect(printConf(again.conf)).toBe(printed);
      const keys = (values: typeof parsed.values): string[] => [...values].map(([key, v]) => `${key} ${v.type} ${v.text}`).sort();
      expect(keys(again.values)).toEqual(keys(parsed.values));
    }
    if (!importConf(text).ok) {
      expect(() => importedLab(text, name)).toThrow(name);
      return;
    }
    const lab = importedLab(text, name);
    expect(lab.cluster).toMatchObject({ conf: text });
  });
});
