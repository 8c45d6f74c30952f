/**
 * The unit files that come with each package of a node, and the links that say what is enabled: resources/units as a module. Written by scripts/unit-files.mjs; change the
 * files there, not here. In the real stack: what dpkg unpacks to /lib/systemd/system and deb-systemd-helper links.
 */

export interface UnitPackage {
  readonly name: string;
  /** Below /lib/systemd/system. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Init scripts of the time before, in /etc/init.d. */
  readonly scripts: readonly { readonly name: string; readonly text: string }[];
}

export const UNIT_PACKAGES: readonly UnitPackage[] = [
  {
    name: "systemd",
    files: [
      {
        name: "basic.target",
        text: `[Unit]
Description=Basic System
Documentation=man:systemd.special(7)
Requires=sysinit.target
Wants=sockets.target timers.target paths.target slices.target
After=sysinit.target sockets.target paths.target slices.target
`,
      },
      {
        name: "final.target",
        text: `[Unit]
Description=Late Shutdown Services
Documentation=man:systemd.special(7)
DefaultDependencies=no
RefuseManualStart=yes
After=shutdown.target umount.target
`,
      },
      {
        name: "getty.target",
        text: `[Unit]
Description=Login Prompts
Documentation=man:systemd.special(7) man:systemd-getty-generator(8)
`,
      },
      {
        name: "halt.target",
        text: `[Unit]
Description=System Halt
Documentation=man:systemd.special(7)
DefaultDependencies=no
Requires=systemd-halt.service
After=systemd-halt.service
AllowIsolate=yes
`,
      },
      {
        name: "local-fs-pre.target",
        text: `[Unit]
Description=Preparation for Local File Systems
Documentation=man:systemd.special(7)
RefuseManualStart=yes
`,
      },
      {
        name: "local-fs.target",
        text: `[Unit]
Description=Local File Systems
Documentation=man:systemd.special(7)
DefaultDependencies=no
Conflicts=shutdown.target
After=local-fs-pre.target
`,
      },
      {
        name: "multi-user.target",
        text: `[Unit]
Description=Multi-User System
Documentation=man:systemd.special(7)
Requires=basic.target
After=basic.target
AllowIsolate=yes
`,
      },
      {
        name: "network-online.target",
        text: `[Unit]
Description=Network is Online
Documentation=man:systemd.special(7)
After=network.target
`,
      },
      {
        name: "network-pre.target",
        text: `[Unit]
Description=Preparation for Network
Documentation=man:systemd.special(7)
RefuseManualStart=yes
`,
      },
      {
        name: "network.target",
        text: `[Unit]
Description=Network
Documentation=man:systemd.special(7)
After=network-pre.target
RefuseManualStart=yes
`,
      },
      {
        name: "paths.target",
        text: `[Unit]
Description=Path Units
Documentation=man:systemd.special(7)
`,
      },
      {
        name: "poweroff.target",
        text: `[Unit]
Description=System Power Off
Documentation=man:systemd.special(7)
DefaultDependencies=no
Requires=systemd-poweroff.service
After=systemd-poweroff.service
AllowIsolate=yes
`,
      },
      {
        name: "reboot.target",
        text: `[Unit]
Description=System Reboot
Documentation=man:systemd.special(7)
DefaultDependencies=no
Requires=systemd-reboot.service
After=systemd-reboot.service
AllowIsolate=yes
`,
      },
      {
        name: "remote-fs.target",
        text: `[Unit]
Description=Remote File Systems
Documentation=man:systemd.special(7)
DefaultDependencies=no
Conflicts=shutdown.target

[Install]
WantedBy=multi-user.target
`,
      },
      {
        name: "shutdown.target",
        text: `[Unit]
Description=System Shutdown
Documentation=man:systemd.special(7)
DefaultDependencies=no
RefuseManualStart=yes
`,
      },
      {
        name: "slices.target",
        text: `[Unit]
Description=Slice Units
Documentation=man:systemd.special(7)
Wants=-.slice system.slice
After=-.slice system.slice
`,
      },
      {
        name: "sockets.target",
        text: `[Unit]
Description=Socket Units
Documentation=man:systemd.special(7)
`,
      },
      {
        name: "swap.target",
        text: `[Unit]
Description=Swaps
Documentation=man:systemd.special(7)
`,
      },
      {
        name: "sysinit.target",
        text: `[Unit]
Description=System Initialization
Documentation=man:systemd.special(7)
Wants=local-fs.target swap.target
After=local-fs.target swap.target
`,
      },
      {
        name: "systemd-halt.service",
        text: `[Unit]
Description=System Halt
Documentation=man:systemd-halt.service(8)
DefaultDependencies=no
Requires=shutdown.target umount.target final.target
After=shutdown.target umount.target final.target
SuccessAction=halt-force
`,
      },
      {
        name: "systemd-poweroff.service",
        text: `[Unit]
Description=System Power Off
Documentation=man:systemd-halt.service(8)
DefaultDependencies=no
Requires=shutdown.target umount.target final.target
After=shutdown.target umount.target final.target
SuccessAction=poweroff-force
`,
      },
      {
        name: "systemd-reboot.service",
        text: `[Unit]
Description=System Reboot
Documentation=man:systemd-halt.service(8)
DefaultDependencies=no
Requires=shutdown.target umount.target final.target
After=shutdown.target umount.target final.target
SuccessAction=reboot-force
`,
      },
      {
        name: "time-set.target",
        text: `[Unit]
Description=System Time Set
Documentation=man:systemd.special(7)
RefuseManualStart=yes
`,
      },
      {
        name: "time-sync.target",
        text: `[Unit]
Description=System Time Synchronized
Documentation=man:systemd.special(7)
RefuseManualStart=yes
After=time-set.target
Wants=time-set.target
`,
      },
      {
        name: "timers.target",
        text: `[Unit]
Description=Timer Units
Documentation=man:systemd.special(7)
DefaultDependencies=no
Conflicts=shutdown.target
`,
      },
      {
        name: "umount.target",
        text: `[Unit]
Description=Unmount All Filesystems
Documentation=man:systemd.special(7)
DefaultDependencies=no
RefuseManualStart=yes
`,
      },
    ],
    links: [
      { path: "/lib/systemd/system/default.target", target: "multi-user.target" },
      { path: "/lib/systemd/system/multi-user.target.wants/getty.target", target: "../getty.target" },
      { path: "/etc/systemd/system/multi-user.target.wants/remote-fs.target", target: "/lib/systemd/system/remote-fs.target" },
    ],
    scripts: [],
  },
  {
    name: "corosync",
    files: [
      {
        name: "corosync.service",
        text: `[Unit]
Description=Corosync Cluster Engine
Documentation=man:corosync man:corosync.conf man:corosync_overview
ConditionKernelCommandLine=!nocluster
ConditionPathExists=/etc/corosync/corosync.conf
Requires=network-online.target
After=network-online.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/corosync
ExecStart=/usr/sbin/corosync -f $COROSYNC_OPTIONS
ExecStop=/usr/sbin/corosync-cfgtool -H --force
StandardError=null
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`,
      },
    ],
    links: [{ path: "/etc/systemd/system/multi-user.target.wants/corosync.service", target: "/lib/systemd/system/corosync.service" }],
    scripts: [
      {
        name: "corosync",
        text: '#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          corosync\n# Required-Start:    $network $remote_fs $syslog\n# Required-Stop:     $network $remote_fs $syslog\n# Default-Start:     2 3 4 5\n# Default-Stop:      0 1 6\n# Short-Description: corosync cluster engine\n### END INIT INFO\nexec /usr/bin/systemctl "$1" corosync.service\n',
      },
    ],
  },
  {
    name: "corosync-qdevice",
    files: [
      {
        name: "corosync-qdevice.service",
        text: `[Unit]
Description=Corosync Qdevice daemon
Documentation=man:corosync-qdevice
ConditionKernelCommandLine=!nocluster
Requires=corosync.service
After=corosync.service

[Service]
Type=notify
EnvironmentFile=-/etc/default/corosync-qdevice
ExecStart=/usr/sbin/corosync-qdevice -f $COROSYNC_QDEVICE_OPTIONS
StandardError=null
Restart=on-failure
RuntimeDirectory=corosync-qdevice
RuntimeDirectoryMode=0770
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`,
      },
    ],
    links: [
      {
        path: "/etc/systemd/system/multi-user.target.wants/corosync-qdevice.service",
        target: "/lib/systemd/system/corosync-qdevice.service",
      },
    ],
    scripts: [],
  },
  {
    name: "corosync-qnetd",
    files: [
      {
        name: "corosync-qnetd.service",
        text: `[Unit]
Description=Corosync Qdevice Network daemon
Documentation=man:corosync-qnetd
ConditionKernelCommandLine=!nocluster
Requires=network-online.target
After=network-online.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/corosync-qnetd
ExecStart=/usr/bin/corosync-qnetd -f $COROSYNC_QNETD_OPTIONS
StandardError=null
Restart=on-abnormal
User=coroqnetd
RuntimeDirectory=corosync-qnetd
RuntimeDirectoryMode=0770
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`,
      },
    ],
    links: [
      { path: "/etc/systemd/system/multi-user.target.wants/corosync-qnetd.service", target: "/lib/systemd/system/corosync-qnetd.service" },
    ],
    scripts: [],
  },
  {
    name: "pve-cluster",
    files: [
      {
        name: "pve-cluster.service",
        text: `[Unit]
Description=The Proxmox VE cluster filesystem
ConditionFileIsExecutable=/usr/bin/pmxcfs
Wants=corosync.service
Wants=rrdcached.service
Before=corosync.service
Before=ceph.service
Before=cron.service
After=network.target
After=sys-fs-fuse-connections.mount
After=time-sync.target
After=rrdcached.service
DefaultDependencies=no
Before=shutdown.target
Conflicts=shutdown.target

[Service]
ExecStart=/usr/bin/pmxcfs
KillMode=mixed
Restart=on-failure
TimeoutStopSec=10
Type=forking
PIDFile=/run/pve-cluster.pid

[Install]
WantedBy=multi-user.target
`,
      },
    ],
    links: [{ path: "/etc/systemd/system/multi-user.target.wants/pve-cluster.service", target: "/lib/systemd/system/pve-cluster.service" }],
    scripts: [],
  },
];
