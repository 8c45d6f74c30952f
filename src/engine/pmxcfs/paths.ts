/**
 * What a path in /etc/pve means by itself: whose guest it configures, whether it is private, whether it is a lock. In the real stack: memdb's and cfs-utils' path functions.
 * Paths here have no leading slash; the root is the empty one.
 */

export type GuestType = "qemu" | "lxc" | "openvz";

/** `nodes/NODE/DIRECTORY/VMID.conf`. */
export interface GuestPath {
  readonly vmid: number;
  readonly node: string;
  readonly type: GuestType;
}

const TYPE_OF_DIRECTORY: Readonly<Record<string, GuestType>> = { "qemu-server": "qemu", lxc: "lxc", openvz: "openvz" };
const GUEST = /^nodes\/([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)\/(qemu-server|lxc|openvz)\/([1-9][0-9]*)\.conf$/;
const VMID_MAX = 0xffff_ffff;

export function guestPath(path: string): GuestPath | undefined {
  const [, node = "", directory = "", number = ""] = GUEST.exec(path) ?? [];
  const type = TYPE_OF_DIRECTORY[directory];
  if (type === undefined || Number(number) > VMID_MAX) return undefined;
  return { vmid: Number(number), node, type };
}

/** Below `priv` or `nodes/NODE/priv`, and these themselves: root alone may look inside. */
export function isPrivate(path: string): boolean {
  return /^(?:nodes\/[^/]+\/)?priv(?:\/|$)/.test(path);
}

/** The place of a cluster-wide lock, which is one where a directory stands. */
export function isLockPath(path: string): boolean {
  return /^priv\/lock\/[^/]+$/.test(path);
}

/** Files whose owner may execute them, as openvz had them. */
export function isActionScript(path: string): boolean {
  return /(?:^|\/)(?:vps|[0-9]+)\.(?:mount|umount|start|stop|premount|postumount)$/.test(path);
}

export function splitPath(path: string): { readonly directory: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { directory: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) };
}
