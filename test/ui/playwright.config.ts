/** The page in a real browser: the system's Chromium, two at a time, nothing left running. Tests of one file come one after the other, but where it says otherwise. */
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const chromium = process.env["QUORATE_CHROMIUM"] ?? known.find((path) => existsSync(path));

export default defineConfig({
  testDir: ".",
  testMatch: "*.test.ts",
  outputDir: "../../test-results/ui",
  workers: 2,
  fullyParallel: false,
  timeout: 150_000,
  expect: { timeout: 20_000 },
  use: {
    viewport: { width: 1280, height: 800 },
    actionTimeout: 15_000,
    launchOptions: {
      ...(chromium === undefined ? {} : { executablePath: chromium }),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
