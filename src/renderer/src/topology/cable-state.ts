/** What a cable is: its cut first, then its carrier, then what it carries. */
export type CableState = "carrying" | "idle" | "down" | "unused" | "silent" | "cut" | "cut-in" | "cut-out";
