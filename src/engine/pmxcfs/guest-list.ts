/**
 * Which guest is where, by its configuration file: one owner per VMID in the whole cluster, and the text of `.vmlist`. In the real stack: the vmlist of pmxcfs's status.c.
 * Both counters are this daemon's own and start with it.
 */
import type { Hasher } from "../kernel/index.ts";
import { HashTable, intHash, type SavedTable } from "./hash-table.ts";
import type { GuestPath, GuestType } from "./paths.ts";

interface Guest {
  readonly node: string;
  readonly type: GuestType;
  /** Of the second counter, at its last registration. */
  readonly version: number;
}

interface GuestListState {
  readonly version: number;
  readonly registrations: number;
  readonly guests: SavedTable<number, Guest>;
}

export class GuestList {
  /** Changes of the list. */
  version = 0;
  private registrations = 0;
  private guests = new HashTable<number, Guest>(intHash);

  /** That VMID is another guest's: on another node, or of another type. */
  takenElsewhere({ vmid, node, type }: GuestPath): boolean {
    const guest = this.guests.get(vmid);
    return guest !== undefined && (guest.node !== node || guest.type !== type);
  }

  has(vmid: number): boolean {
    return this.guests.get(vmid) !== undefined;
  }

  /** Its file was created or written, or renamed to this place. */
  register({ vmid, node, type }: GuestPath): void {
    this.version++;
    this.guests.set(vmid, { node, type, version: ++this.registrations });
  }

  /** Its file has gone. */
  remove(vmid: number): void {
    this.version++;
    this.guests.delete(vmid);
  }

  /** Another state of the tree begins: the list is made anew from its files, and is one change. */
  rebuild(paths: readonly GuestPath[]): void {
    this.version++;
    this.guests = new HashTable<number, Guest>(intHash);
    for (const { vmid, node, type } of paths) this.guests.set(vmid, { node, type, version: ++this.registrations });
  }

  /** Contents of `.vmlist`. */
  text(): string {
    const ids = [...this.guests.entries()].map(
      ([vmid, { node, type, version }]) => `"${vmid}": { "node": "${node}", "type": "${type}", "version": ${version} }`,
    );
    return `{\n"version": ${this.version}${ids.length === 0 ? "" : `,\n"ids": {\n${ids.join(",\n")}}`}\n\n}\n`;
  }

  snapshot(): GuestListState {
    return { version: this.version, registrations: this.registrations, guests: this.guests.snapshot() };
  }

  restore(state: GuestListState): void {
    this.version = state.version;
    this.registrations = state.registrations;
    this.guests = HashTable.restore(intHash, state.guests);
  }

  digest(h: Hasher): void {
    h.int(this.version).int(this.registrations).int(this.guests.size);
    for (const [vmid, { node, type, version }] of this.guests.entries()) h.int(vmid).text(node).text(type).int(version);
  }
}
