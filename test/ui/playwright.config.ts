/** The page in a real browser: the system's Chromium, two at a time, nothing left running. Tests of one file come one after the other, but where it says otherwise. */
import { defineConfig } from "@playwright/test";
import { chromiumBinary } from "../../scripts/lib/setup.mjs";

const chromium = chromiumBinary();

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
