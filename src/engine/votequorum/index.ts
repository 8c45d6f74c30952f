/** The votequorum layer's public face. */
export * from "./arithmetic.ts";
export * from "./quorum.ts";
export * from "./votequorum.ts";
