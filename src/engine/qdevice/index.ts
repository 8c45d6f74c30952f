/** The quorum device's public face: the daemon on a node, and the server. */
export { Device } from "./device/device.ts";
export { QdeviceProgram } from "./device/device-program.ts";
export { DEVICE_NAME, type DeviceCall, type DevicePort, type DeviceReply, type DeviceState } from "./device/device-state.ts";
export { DEVICE_SOCKET, connectionWord, type DeviceToolCalls, type DeviceView } from "./device/device-view.ts";
export { QNETD_PORT } from "./tlv.ts";
export { Qnetd, type QnetdView } from "./qnetd/qnetd.ts";
export type { QnetdSettings } from "./qnetd/qnetd-instance.ts";
export { QNETD_SOCKET, QnetdProgram, type QnetdToolCalls } from "./qnetd/qnetd-program.ts";
export type { QnetdClient, QnetdCluster } from "./qnetd/qnetd-types.ts";
