/**
 * What /etc/pve shows beside the tree: `.version`, `.members` and their kind, made when they are opened, and the links to this node's own directories. In the real stack: the function and link
 * plugs of pmxcfs. Left out: that the real daemon makes the contents at getattr, and keeps them for all who read.
 */
import { fromUtf8, utf8, type Errno } from "../kernel/index.ts";
import { HashTable, stringHash } from "./hash-table.ts";

type SpecialName = ".version" | ".members" | ".vmlist" | ".rrd" | ".clusterlog" | ".debug";

export interface SpecialSource {
  readonly nodeName: string;
  text(name: SpecialName): string;
  setDebug(on: boolean): void;
}

const FILES: readonly SpecialName[] = [".version", ".members", ".vmlist", ".rrd", ".clusterlog", ".debug"];
const LINKS: Readonly<Record<string, string>> = { local: "", "qemu-server": "/qemu-server", openvz: "/openvz", lxc: "/lxc" };

export class SpecialFiles {
  /** In the order in which the daemon lists them. */
  readonly names: readonly string[];

  constructor(private readonly source: SpecialSource) {
    const table = new HashTable<string, null>(stringHash);
    for (const name of [...FILES, ...Object.keys(LINKS)]) table.set(name, null);
    this.names = [...table.entries()].map(([name]) => name);
  }

  has(path: string): boolean {
    return this.names.includes(path);
  }

  /** Where a link leads; undefined: it is none. */
  target(path: string): string | undefined {
    return Object.hasOwn(LINKS, path) ? `nodes/${this.source.nodeName}${LINKS[path] ?? ""}` : undefined;
  }

  contents(path: string): Uint8Array | undefined {
    const name = FILES.find((file) => file === path);
    return name === undefined ? undefined : utf8(this.source.text(name));
  }

  writable(path: string): boolean {
    return path === ".debug";
  }

  /** Only the first two bytes count. */
  write(path: string, data: Uint8Array): Errno | undefined {
    const text = fromUtf8(data.subarray(0, 2));
    if (!this.writable(path) || (text !== "0\n" && text !== "1\n")) return "EIO";
    this.source.setDebug(text === "1\n");
    return undefined;
  }

  truncate(path: string): Errno | undefined {
    return this.writable(path) ? undefined : "EIO";
  }
}
