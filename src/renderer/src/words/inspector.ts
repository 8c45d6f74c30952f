/** What the inspector says of a machine: its membership, its votes, its token, its interfaces. */

export const inspector = {
  /** On the command of a section. */
  typed: "Types it into the terminal; Enter is yours",
  none: "none",
  flags: "Flags",
  margin: "Margin of the lab",
  marginTitle: "Token timeout divided by the slowest rotation of the last minute, not counting the hold",
  interfaces: "Network interfaces",
  interface: "interface",
} as const;

export const membership = {
  known: "Known nodes",
  failed: "Failed nodes",
  consensus: "Consensus reached with",
  services: "Services",
  syncing: "syncing",
  inSync: "in sync",
  none: "none",
} as const;
