/** The process-group layer's public face. */
export * from "./cpg.ts";
export type { CpgAddress } from "./messages.ts";
