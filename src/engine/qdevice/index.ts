/** The quorum device's public face: the daemon on a node, and the server. */
export { Device } from "./device.ts";
export { QdeviceProgram } from "./device-program.ts";
export { DEVICE_NAME, type DeviceCall, type DevicePort, type DeviceReply, type DeviceState } from "./device-state.ts";
export { DEVICE_SOCKET, connectionWord, type DeviceToolCalls, type DeviceView } from "./device-view.ts";
export { QNETD_PORT, Qnetd, type QnetdSettings, type QnetdView } from "./qnetd.ts";
export { QNETD_SOCKET, QnetdProgram, type QnetdToolCalls } from "./qnetd-program.ts";
export type { QnetdClient, QnetdCluster } from "./qnetd-types.ts";
