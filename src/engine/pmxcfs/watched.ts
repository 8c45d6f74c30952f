/**
 * The counters of `.version`: one for each file that Proxmox VE's daemons look at, counting its changes on this node since its daemon began. In the real stack: the change
 * array of pmxcfs's status.c. Counters are local: they tell that something changed, and compare with no other node's.
 */
import type { Hasher } from "../kernel/index.ts";

const DIRECTORIES: readonly (readonly [string, string])[] = [
  ["", "corosync.conf corosync.conf.new storage.cfg user.cfg domains.cfg notifications.cfg"],
  ["priv/", "notifications.cfg shadow.cfg acme/plugins.cfg tfa.cfg token.cfg wg-keys.cfg"],
  ["", "datacenter.cfg vzdump.cron vzdump.conf jobs.cfg"],
  ["ha/", "crm_commands manager_status resources.cfg rules.cfg groups.cfg fence.cfg"],
  ["", "status.cfg replication.cfg ceph.conf"],
  ["sdn/", "vnets.cfg zones.cfg controllers.cfg subnets.cfg ipams.cfg mac-cache.json pve-ipam-state.json dns.cfg fabrics.cfg"],
  ["sdn/", "route-maps.cfg prefix-lists.cfg .running-config"],
  ["virtual-guest/", "cpu-models.conf profiles.cfg"],
  ["firewall/", "cluster.fw"],
  ["mapping/", "directory.cfg pci.cfg usb.cfg"],
];

/** In the order of `.version`. */
const WATCHED: readonly string[] = DIRECTORIES.flatMap(([directory, names]) => names.split(" ").map((name) => directory + name));

export class WatchedFiles {
  private counts: number[] = WATCHED.map(() => 1);

  changed(path: string): void {
    const at = WATCHED.indexOf(path);
    if (at >= 0) this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** Another state of the tree has been taken over. */
  allChanged(): void {
    this.counts = this.counts.map((count) => count + 1);
  }

  lines(): string[] {
    return WATCHED.map((path, i) => `"${path}": ${this.counts[i] ?? 0}`);
  }

  snapshot(): readonly number[] {
    return [...this.counts];
  }

  restore(counts: readonly number[]): void {
    this.counts = [...counts];
  }

  digest(h: Hasher): void {
    for (const count of this.counts) h.int(count);
  }
}
