// One configuration for every suite under test/ that vitest runs; test/ui is Playwright's.
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/ui/**", "test/bench/**"],
    // Generous: a machine under load must not fail a test; whole suites are bounded by scripts/test.mjs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: false,
    coverage: { provider: "v8", include: ["src/**"] },
  },
});
