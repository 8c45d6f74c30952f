/** The lab a scenario is played in: as many machines and links as its corosync.conf names, booted, with the daemon still stopped. */
import type { Release } from "../../src/engine/config/index.ts";
import { SEC, utf8 } from "../../src/engine/kernel/index.ts";
import type { WorldDesign } from "../../src/engine/world/index.ts";

/** Nodes and links that a corosync.conf lists. */
export function count(config: string): { nodes: number; links: number } {
  return { nodes: (config.match(/^\s*nodeid:/gm) ?? []).length, links: new Set(config.match(/ring\d_addr/g)).size };
}

/** The corosync.conf names a quorum device: then there is a host for its server. */
export const hasDevice = (config: string): boolean => /^\s*device \{/m.test(config);

/** Where the recorder's qnetd host stood. */
const QNETD_ADDRESS = "10.10.0.200";

/** What `corosync-qdevice-net-certutil` leaves on a disk, as far as anybody looks. */
const database = (directory: string): { path: string; data: Uint8Array }[] =>
  ["cert9.db", "key4.db", "pkcs11.txt"].map((file) => ({ path: `${directory}/${file}`, data: utf8(file) }));

/** Where they were recorded no systemd started them again, or counted how often they were started. */
const recorded = (unit: string): { path: string; data: Uint8Array } => ({
  path: `/etc/systemd/system/${unit}.service.d/recorded.conf`,
  data: utf8("[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=no\n"),
});

/** Both daemons were recorded with -d. */
function deviceFiles(): { path: string; data: Uint8Array }[] {
  return [
    { path: "/etc/default/corosync-qdevice", data: utf8('COROSYNC_QDEVICE_OPTIONS="-d"\n') },
    ...database("/etc/corosync/qdevice/net/nssdb"),
    recorded("corosync-qdevice"),
  ];
}

function qnetdHost(): WorldDesign["machines"][number] {
  return {
    kind: "qnetd",
    name: "qnetd",
    hostname: "qnetd",
    domain: "lab.local",
    nics: [{ name: "eno1", net: "link0", address: QNETD_ADDRESS }],
    hosts: [{ address: QNETD_ADDRESS, names: ["qnetd.lab.local", "qnetd"] }],
    files: [
      { path: "/etc/default/corosync-qnetd", data: utf8('COROSYNC_QNETD_OPTIONS="-d"\n') },
      ...database("/etc/corosync/qnetd/nssdb"),
      recorded("corosync-qnetd"),
    ],
    boot: 5 * SEC,
    disabledUnits: ["corosync-qnetd"],
    power: "on",
  };
}

/** node1 … nodeN at 10.10.k.i, link k on network link-k; corosync is started by the scenario, not at boot. */
export function labOf(config: string, seed: string, release: Release = "3.1.7", nodes: number = count(config).nodes): WorldDesign {
  const { links } = count(config);
  const names = Array.from({ length: nodes }, (_, i) => `node${i + 1}`);
  return {
    name: "recorded",
    seed,
    epochUnixMicros: 1_767_225_600 * SEC,
    networks: Array.from({ length: links }, (_, k) => ({ name: `link${k}`, cidr: `10.10.${k}.0/24` })),
    machines: [
      ...names.map((name, i) => ({
        kind: "node" as const,
        name,
        hostname: name,
        domain: "lab.local",
        nics: Array.from({ length: links }, (_, k) => ({ name: `eno${k + 1}`, net: `link${k}`, address: `10.10.${k}.${i + 1}` })),
        hosts: names.map((n, j) => ({ address: `10.10.0.${j + 1}`, names: [`${n}.lab.local`, n] })),
        files: [
          { path: "/etc/corosync/corosync.conf", data: utf8(config) },
          { path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(7), mode: 0o400 },
          recorded("corosync"),
          ...(hasDevice(config) ? deviceFiles() : []),
        ],
        boot: 5 * SEC,
        disabledUnits: ["corosync", "corosync-qdevice"],
        packages: hasDevice(config) ? ["corosync-qdevice"] : [],
        power: "on" as const,
        release,
      })),
      ...(hasDevice(config) ? [qnetdHost()] : []),
    ],
    faults: [],
  };
}
