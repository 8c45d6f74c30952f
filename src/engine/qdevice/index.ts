/** The quorum device's public face: the daemon on a node, and the server. */
export { Device, QDEVICE_DATABASE } from "./device.ts";
export { DEVICE_NAME, type DevicePort, type DeviceVotequorum } from "./device-state.ts";
export { QNETD_PORT, Qnetd, type QnetdSettings, type QnetdView } from "./qnetd.ts";
export type { QnetdClient, QnetdCluster } from "./qnetd-types.ts";
