// One configuration for every suite under test/ that vitest runs; test/ui is Playwright's.
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/ui/**", "test/bench/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: false,
    coverage: { provider: "v8", include: ["src/**"] },
  },
});
