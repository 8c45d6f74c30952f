/** The units that the lab models, in the order systemd starts them at boot. Sources: the unit files of Debian's and PVE's packages. */
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

/** What Debian's package corosync-qdevice adds to a node. */
export const QDEVICE_UNIT: UnitSpec = {
  name: "corosync-qdevice",
  description: "Corosync Qdevice daemon",
  execStart: "/usr/sbin/corosync-qdevice -f $COROSYNC_QDEVICE_OPTIONS",
  requires: "corosync",
  restart: "on-failure",
  wantedAtBoot: true,
};

/** The units of a machine that arbitrates: Debian's package corosync-qnetd. */
export const QNETD_UNITS: readonly UnitSpec[] = [
  {
    name: "corosync-qnetd",
    description: "Corosync Qdevice Network daemon",
    execStart: "/usr/bin/corosync-qnetd -f $COROSYNC_QNETD_OPTIONS",
    restart: "on-abnormal",
    wantedAtBoot: true,
  },
];
