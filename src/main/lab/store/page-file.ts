/** Where a lab's page is and what opens it: kept in the lab's directory as long as the lab exists, so that an address that was given out goes on being its own. Mode 0600. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PRIVATE_MODE, writeAtomic } from "./atomic-files.ts";

export const pageFileName = "page.json";

const kept = z.strictObject({
  version: z.literal(1),
  port: z.int().min(1).max(65_535),
  token: z.string().regex(/^[A-Za-z0-9_-]{32}$/),
});

export type KeptPage = Pick<z.infer<typeof kept>, "port" | "token">;

/** undefined: the page was never served, or the file is no longer what was written; then there are a new port and a new token. */
export function readPageFile(dir: string): KeptPage | undefined {
  try {
    const { port, token } = kept.parse(JSON.parse(readFileSync(join(dir, pageFileName), "utf8")));
    return { port, token };
  } catch {
    return undefined;
  }
}

/** @throws Trouble */
export function writePageFile(dir: string, { port, token }: KeptPage): void {
  writeAtomic(join(dir, pageFileName), `${JSON.stringify({ version: 1, port, token })}\n`, PRIVATE_MODE);
}
