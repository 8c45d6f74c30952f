// ESLint for Svelte; everything else is oxlint's (.oxlintrc.json). Layer order and the engine's ban list are checked in test/tidy.
import svelte from "eslint-plugin-svelte";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      "out/",
      "coverage/",
      "test-results/",
      "playwright-report/",
      "**/*.js",
      "**/*.mjs",
      "**/*.ts",
      "!**/*.svelte.ts",
    ],
  },
  ...tseslint.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }],
      "no-undef": "off",
      "no-eval": "error",
      "svelte/no-at-html-tags": "error",
      // Plain maps and sets inside a computation are not state.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
);
