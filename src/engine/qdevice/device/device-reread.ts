/** The node list is read again while the device runs. In the real stack: qdevice-cmap.c and qdevice_model_net_config_node_list_changed. */
import { readNet } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import type { DevicePort } from "./device-state.ts";
import { nodeListLines } from "../tlv.ts";

/** True: it is another, and the server is to be told where it is connected. */
export function rereadNodes(device: DeviceCore, port: DevicePort, test: boolean): boolean {
  const old = device.config;
  if (old === undefined) return false;
  const read = readNet(port.get, port.list, port.nodeId(), test);
  if (typeof read === "string") return false;
  const same = JSON.stringify(read.nodes) === JSON.stringify(old.nodes) && read.configVersion === old.configVersion;
  if (same) return false;
  device.state.config = Object.freeze({ ...old, nodes: read.nodes, configVersion: read.configVersion });
  device.debug("Node list changed");
  if (read.configVersion !== undefined) device.debug(`  config_version = ${read.configVersion}`);
  for (const line of nodeListLines(read.nodes)) device.debug(line);
  const connected = device.state.connection === "connected";
  device.debug(`Algorithm decided to ${connected ? "send" : "not send"} node list and result vote is No change`);
  return true;
}
