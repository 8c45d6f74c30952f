/**
 * What corosync-qdevice tells its own tool, and what the lab's status shows of it. In the real stack: qdevice-ipc-cmd.c and qdevice-net-ipc-cmd.c, which write the text; here
 * the tool does.
 */
import type { DeviceConfig } from "./device-config.ts";
import type { Device } from "./device.ts";
import type { DeviceState } from "./device-state.ts";

/** The daemon's local socket. */
export const DEVICE_SOCKET = "/run/corosync-qdevice/corosync-qdevice.sock";

export interface DeviceView {
  readonly config: DeviceConfig;
  readonly state: Pick<
    DeviceState,
    | "connection"
    | "ring"
    | "members"
    | "quorate"
    | "voteNodes"
    | "expectedVotes"
    | "lastPoll"
    | "heuristics"
    | "tls"
    | "connectedAt"
    | "echoReceivedAt"
  >;
  /** The cast vote timer runs, and with which vote. */
  readonly polling: boolean;
  readonly casts: boolean;
}

/** What its tool asks of it. */
export type DeviceToolCalls = {
  readonly status: { readonly request: object; readonly reply: { readonly view: DeviceView } };
  readonly shutdown: { readonly request: object; readonly reply: object };
};

/** Of the present moment: whoever keeps it copies it. Undefined before it has read its configuration. */
export function deviceView(device: Device): DeviceView | undefined {
  const { config, state } = device;
  if (config === undefined) return undefined;
  const { connection, ring, members, quorate, voteNodes, expectedVotes, lastPoll, heuristics, tls, connectedAt, echoReceivedAt } = state;
  const shown = { connection, ring, members, quorate, voteNodes, expectedVotes, lastPoll, heuristics, tls, connectedAt, echoReceivedAt };
  return {
    config,
    state: shown,
    polling: device.castVote?.running === true,
    casts: device.castVote?.casts === true,
  };
}

const CONNECTION = {
  idle: "Connecting",
  sleeping: "Connecting",
  connecting: "Connecting",
  failed: "Connect failed",
  preinit: "Connecting",
  init: "Connecting",
  connected: "Connected",
} as const;

/** The State line's word. */
export function connectionWord(view: DeviceView): string {
  return CONNECTION[view.state.connection];
}
