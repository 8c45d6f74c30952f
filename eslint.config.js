// ESLint for TypeScript, Svelte and the plain scripts. Layer order and the engine's ban list are checked in test/tidy.
import svelte from "eslint-plugin-svelte";
import tseslint from "typescript-eslint";

const strictTypes = {
  "@typescript-eslint/no-explicit-any": "error",
  "@typescript-eslint/no-non-null-assertion": "error",
  "@typescript-eslint/consistent-type-imports": "error",
  "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }],
};

const neverAnywhere = {
  "no-restricted-syntax": [
    "error",
    { selector: "ExportDefaultDeclaration", message: "Export by name." },
    { selector: "PrivateIdentifier", message: "What is a class's own is `private`." },
  ],
  "no-empty": ["error", { allowEmptyCatch: false }],
  "no-var": "error",
  "prefer-const": "error",
  eqeqeq: "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-debugger": "error",
};

export default tseslint.config(
  { ignores: ["node_modules/", "out/", "coverage/", "test-results/", "playwright-report/"] },
  ...tseslint.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...strictTypes,
      ...neverAnywhere,
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/only-throw-error": "error",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".svelte"],
        parser: tseslint.parser,
      },
      globals: { window: "readonly", document: "readonly" },
    },
    rules: {
      ...strictTypes,
      "no-undef": "off",
      "no-eval": "error",
      "svelte/no-at-html-tags": "error",
      // Plain maps and sets inside a computation are not state.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  { files: ["*.config.ts", "*.config.js", "test/**/*.config.ts"], rules: { "no-restricted-syntax": "off" } },
);
