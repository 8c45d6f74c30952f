/**
 * Where Chromium has no sandbox there is no window: the page is served on loopback instead, as `quorate serve` does, until a signal ends it. Root is the usual case: Chromium runs
 * for root without its sandbox or not at all.
 */
import { app } from "electron";
import { labDir } from "../lab/store/paths.ts";
import { attach, quorate } from "./attach.ts";
import { freezeLab } from "../lab/process/client.ts";
import type { Opening } from "./opening.ts";

export function pageInstead(asked: Opening, create: readonly string[]): void {
  console.error("Quorate opens no window without Chromium's sandbox (root has none): the page on loopback instead; Ctrl-C ends it");
  const dir = asked.kind === "lab" ? asked.dir : labDir(undefined);
  serve(dir, create).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    app.exit(1);
  });
}

async function serve(dir: string, create: readonly string[]): Promise<void> {
  // Chromium quits for a signal before we hear of it.
  const signal = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => resolve());
    app.on("before-quit", (event) => {
      event.preventDefault();
      resolve();
    });
  });
  const { client, started } = await attach(dir, create);
  console.log((await quorate(["serve", "--lab", dir])).trim());
  await Promise.race([signal, client.closed]);
  if (started) await freezeLab(client);
  app.exit(0);
}
