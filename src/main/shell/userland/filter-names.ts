/** The filters that just-bash lends; of its other programs nothing goes into a build (electron.vite.config.ts). */
import type { CommandName } from "just-bash";

export const FILTERS: readonly CommandName[] = [
  "awk",
  "sed",
  "sort",
  "jq",
  "column",
  "paste",
  "nl",
  "tac",
  "rev",
  "fold",
  "expand",
  "unexpand",
  "comm",
  "join",
  "md5sum",
  "sha1sum",
  "sha256sum",
  "base64",
  "expr",
  "strings",
];
