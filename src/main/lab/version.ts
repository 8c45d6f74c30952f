/** The version of this product, from its package.json. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export function version(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    try {
      const found: unknown = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
      if (typeof found === "object" && found !== null && "name" in found && found.name === "quorate" && "version" in found)
        return String(found.version);
    } catch {
      // No package.json here: look further up.
    }
  }
  return "0.0.0";
}
