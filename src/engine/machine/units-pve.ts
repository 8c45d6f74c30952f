/** The units of a Proxmox VE node that the lab models, in the order systemd starts them at boot. Sources: the unit files of Debian's and PVE's packages. */
import type { UnitSpec } from "./units.ts";

export const PVE_UNITS: readonly UnitSpec[] = [
  {
    name: "corosync",
    description: "Corosync Cluster Engine",
    execStart: "/usr/sbin/corosync -f $COROSYNC_OPTIONS",
    conditionPath: "/etc/corosync/corosync.conf",
    wantedAtBoot: true,
  },
];
