// Who may import whom. The engine's folders stand on each other in the order of the list: a folder may import those above it, never below.

export const engineLayers: readonly string[] = [
  "kernel",
  "config",
  "knet",
  "totem",
  "cpg",
  "votequorum",
  "cmap",
  "corosync",
  "qdevice",
  "machine",
  "pmxcfs",
  "guest",
  "ha",
  "cluster",
  "api",
  "command",
  "node",
  "fabric",
  "world",
  "fuzz",
  "whatif",
  "host",
];

const layerRules = engineLayers.slice(0, -1).map((layer, index) => ({
  name: `layer-${layer}`,
  comment: `${layer} stands above ${engineLayers.slice(index + 1).join(", ")} in the list and may import none of them`,
  severity: "error",
  from: { path: `^src/engine/${layer}/` },
  to: { path: `^src/engine/(${engineLayers.slice(index + 1).join("|")})/` },
}));

const outside = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown", "unknown", "core"];

export default {
  forbidden: [
    ...layerRules,
    {
      name: "engine-alone",
      comment: "the engine knows nobody who runs it",
      severity: "error",
      from: { path: "^src/engine/" },
      to: { path: "^src/(main|renderer)/" },
    },
    {
      name: "engine-pure",
      comment: "outside host/ the engine uses no package and nothing of Node; the schema of what a machine believes is zod's",
      severity: "error",
      from: { path: "^src/engine/", pathNot: "^src/engine/(host/|kernel/status\\.ts$)" },
      to: { dependencyTypes: outside },
    },
    {
      name: "status-is-schema-alone",
      comment: "the page imports the schema of what a machine believes",
      severity: "error",
      from: { path: "^src/engine/kernel/status\\.ts$" },
      to: { pathNot: "node_modules/zod/" },
    },
    {
      name: "engine-known-layer",
      comment: `a folder of src/engine is one of: ${engineLayers.join(", ")}`,
      severity: "error",
      from: { path: "^src/engine/", pathNot: `^src/engine/((${engineLayers.join("|")})/|[^/]+$)` },
      to: {},
    },
    {
      name: "renderer-api-only",
      comment: "the page knows the lab by its API alone",
      severity: "error",
      from: { path: "^src/renderer/" },
      to: { path: "^src/(main|engine)/", pathNot: "^src/main/lab/api\\.ts$" },
    },
    {
      name: "renderer-in-a-browser",
      comment: "the page has no Node",
      severity: "error",
      from: { path: "^src/renderer/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "api-pure",
      comment:
        "the page imports the API, so the API imports zod, its own parts and the schemas of what a machine believes and of what may be done to it alone",
      severity: "error",
      from: { path: "^src/main/lab/api(-whatif|-snapshot|-motion|-hello|-conf|-history|-run)?\\.ts$" },
      to: {
        pathNot:
          "node_modules/zod/|^src/main/lab/api-(whatif|snapshot|motion|hello|conf|history|run)\\.ts$|^src/engine/kernel/(status|check|act-shapes|file-shapes|machine)\\.ts$",
      },
    },
    {
      name: "electron-in-desktop",
      comment: "only the desktop face knows Electron",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/main/desktop/" },
      to: { path: "node_modules/electron/" },
    },
    {
      name: "zeromq-in-host",
      comment: "only the engine's rim knows ZeroMQ",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/engine/host/" },
      to: { path: "node_modules/zeromq/" },
    },
    {
      name: "faces-apart",
      comment: "desktop, web and command line meet in src/main/lab",
      severity: "error",
      from: { path: "^src/main/(web|lab|shell)/" },
      to: { path: "^src/main/(desktop|cli)/" },
    },
    {
      name: "src-without-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|scripts)/" },
    },
    {
      name: "no-circles",
      comment: "what imports itself in a circle, be it for a type alone, cannot be read from top to bottom",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
    {
      name: "resolvable",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true, path: "^\\.", pathNot: "\\.(css|svg|woff2)(\\?|$)" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: [".ts", ".js", ".mjs", ".svelte", ".json"],
      conditionNames: ["import", "svelte", "types", "default"],
    },
  },
};
