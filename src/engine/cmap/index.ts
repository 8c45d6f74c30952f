/** The configuration map's public face. */
export * from "./map.ts";
export * from "./keys.ts";
export * from "./service.ts";
export * from "./stats.ts";
