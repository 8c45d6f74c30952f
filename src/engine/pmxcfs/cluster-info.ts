/**
 * What this node knows of the cluster's nodes: which are configured, whose pmxcfs is in the status group, by which address each is known; and the text of `.members`. In the real stack: the
 * clinfo of pmxcfs's status.c. "Online" is about pmxcfs, not about corosync's membership.
 */
import type { Hasher } from "../kernel/index.ts";
import { HashTable, intHash, type SavedTable } from "./hash-table.ts";

export interface ConfiguredNode {
  readonly id: number;
  readonly name: string;
}

interface KnownNode {
  readonly name: string;
  readonly online: boolean;
}

/** The configuration as corosync has it. */
export interface ClusterConfig {
  readonly name: string;
  /** config_version. */
  readonly version: number;
  readonly nodes: readonly ConfiguredNode[];
}

interface ClusterInfoState {
  readonly version: number;
  readonly name: string;
  readonly configVersion: number;
  readonly configured: boolean;
  readonly nodes: SavedTable<number, KnownNode>;
  readonly addresses: readonly (readonly [string, string])[];
}

export class ClusterInfo {
  /** Changes: of the configuration, of the members, of an address. */
  version = 0;
  private name = "";
  private configVersion = 0;
  private configured = false;
  private nodes = new HashTable<number, KnownNode>(intHash);
  /** By node name: what each node announced. */
  private readonly addresses = new Map<string, string>();

  constructor(private readonly self: string) {}

  /** @returns false where nothing is new */
  configure({ name, version, nodes }: ClusterConfig): boolean {
    const same = nodes.length === this.nodes.size && nodes.every((node) => this.nodes.get(node.id)?.name === node.name);
    if (this.configured && same && name === this.name && version === this.configVersion) return false;
    const old = this.nodes;
    this.nodes = new HashTable<number, KnownNode>(intHash);
    for (const node of nodes) this.nodes.set(node.id, { name: node.name, online: old.get(node.id)?.online ?? false });
    Object.assign(this, { name, configVersion: version, configured: true });
    this.version++;
    return true;
  }

  /** Node ids of the status group's members. */
  online(ids: readonly number[]): void {
    for (const [id, node] of this.nodes.entries()) this.nodes.set(id, { ...node, online: ids.includes(id) });
    this.version++;
  }

  setAddress(node: string, address: string): void {
    if (this.addresses.get(node) === address) return;
    this.addresses.set(node, address);
    this.version++;
  }

  nameOf(id: number): string | undefined {
    return this.nodes.get(id)?.name;
  }

  /** Of the members, ascending. */
  onlineIds(): number[] {
    return [...this.nodes.entries()].flatMap(([id, node]) => (node.online ? [id] : [])).sort((a, b) => a - b);
  }

  /** This node first, then the others as they are listed. */
  names(): string[] {
    return [this.self, ...[...this.nodes.values()].map((node) => node.name).filter((name) => name !== this.self)];
  }

  /** Contents of `.members`; without a cluster name and version alone. */
  text(quorate: boolean): string {
    const head = `{\n"nodename": "${this.self}",\n"version": ${this.version}`;
    if (!this.configured) return `${head}\n}\n`;
    const cluster = `{ "name": "${this.name}", "version": ${this.configVersion}, "nodes": ${this.nodes.size}, "quorate": ${quorate ? 1 : 0} }`;
    const nodes = [...this.nodes.entries()].map(([id, { name, online }]) => {
      const address = this.addresses.get(name);
      return `  "${name}": { "id": ${id}, "online": ${online ? 1 : 0}${address === undefined ? "" : `, "ip": "${address}"`}}`;
    });
    return `${head},\n"cluster": ${cluster},\n"nodelist": {\n${nodes.join(",\n")}\n  }\n}\n`;
  }

  snapshot(): ClusterInfoState {
    const { version, name, configVersion, configured } = this;
    return { version, name, configVersion, configured, nodes: this.nodes.snapshot(), addresses: [...this.addresses] };
  }

  restore(state: ClusterInfoState): void {
    const { version, name, configVersion, configured } = state;
    Object.assign(this, { version, name, configVersion, configured });
    this.nodes = HashTable.restore(intHash, state.nodes);
    this.addresses.clear();
    for (const [node, address] of state.addresses) this.addresses.set(node, address);
  }

  digest(h: Hasher): void {
    h.int(this.version).text(this.name).int(this.configVersion).bool(this.configured);
    for (const [id, { name, online }] of this.nodes.entries()) h.int(id).text(name).bool(online);
    for (const [node, address] of this.addresses) h.text(node).text(address);
  }
}
