/**
 * Other contents of corosync.conf that a schedule puts in the place of the one in force: how each differs from it, as plain data. In the real stack: what an
 * administrator types into the file. Left out: the text, which is the caller's.
 */

/** How a file differs from the one that the cluster began with. */
export type Change =
  | { readonly kind: "nothing" }
  | { readonly kind: "votes"; readonly node: string; readonly votes: number }
  | { readonly kind: "expected"; readonly votes: number }
  | { readonly kind: "token"; readonly ms: number }
  | { readonly kind: "priorities"; readonly values: readonly number[] }
  /** Only the first links are left. */
  | { readonly kind: "links"; readonly count: number }
  /** The node is not in the list. */
  | { readonly kind: "without"; readonly node: string }
  | { readonly kind: "logging"; readonly debug: "on" | "trace" }
  | { readonly kind: "crypto"; readonly cipher: string; readonly hash: string }
  /** The node's address on the first link is one that nobody has: a daemon that runs refuses it, one that starts does not find it. */
  | { readonly kind: "address"; readonly node: string }
  /** The node's address on the last link is missing: no daemon takes that. */
  | { readonly kind: "no-address"; readonly node: string }
  /** Cannot be read: a brace is missing, a line is none, a number is none. */
  | { readonly kind: "broken"; readonly how: "brace" | "line" | "number" };

export interface Variant {
  readonly name: string;
  readonly change: Change;
  /** config_version is higher by this than at the beginning. */
  readonly versionUp: number;
}
