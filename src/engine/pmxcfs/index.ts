/** pmxcfs's public face: the program. */
export { Pmxcfs, type PmxcfsView } from "./pmxcfs.ts";
