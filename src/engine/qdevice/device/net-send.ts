/**
 * What corosync-qdevice sends to the server: messages with their numbers, and the three node lists. In the real stack: qdevice-net-send.c. Left out: a buffer of its own; TCP
 * takes what is sent or drops it with the connection.
 */
import { ringIdText } from "../../totem/types.ts";
import {
  ALGORITHMS,
  MESSAGE_TYPES,
  MSG,
  OPTION_TYPES,
  encodeMessage,
  nodeListLines,
  type Heuristics,
  type Message,
  type NodeInfo,
  type NodeListType,
} from "../tlv.ts";
import type { DeviceConfig } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import type { DevicePort } from "./device-state.ts";

export class NetSend {
  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    private readonly config: DeviceConfig,
  ) {}

  send(m: Message): void {
    if (this.device.state.socket !== undefined) this.port.tcp.send(this.device.state.socket, encodeMessage(m));
  }

  nextSeq(): number {
    return ++this.device.state.lastSeq;
  }

  /** Asks to be taken as a client. */
  sendInit(): void {
    const { nodeId, algorithm, heartbeatMs, tieBreaker } = this.config;
    this.send({
      type: MSG.init,
      seq: this.nextSeq(),
      nodeId,
      supportedMessages: MESSAGE_TYPES,
      supportedOptions: OPTION_TYPES,
      algorithm: ALGORITHMS.indexOf(algorithm),
      heartbeatMs,
      tieBreaker,
      ring: this.device.state.ring,
    });
  }

  private dump(nodes: readonly NodeInfo[]): void {
    for (const line of nodeListLines(nodes)) this.device.debug(line);
  }

  sendConfig(listType: NodeListType): void {
    const { nodes, configVersion } = this.device.config ?? this.config;
    const seq = this.nextSeq();
    this.device.debug(`Sending config node list seq = ${seq}`);
    this.dump(nodes);
    this.send({ type: MSG.nodeList, seq, listType, nodes, ...(configVersion === undefined ? {} : { configVersion }) });
  }

  sendMembership(heuristics: Heuristics): void {
    const { ring, members } = this.device.state;
    const seq = this.nextSeq();
    const nodes = members.map((nodeId) => ({ nodeId, dataCenterId: 0, state: "not set" as const }));
    this.device.debug(`Sending membership node list seq = ${seq}, ringid = (${ringIdText(ring)}), heuristics = ${heuristics}.`);
    this.dump(nodes);
    this.send({ type: MSG.nodeList, seq, listType: "membership", ring, nodes, heuristics });
  }

  sendQuorum(nodes: readonly NodeInfo[]): void {
    const { quorate } = this.device.state;
    const seq = this.nextSeq();
    this.device.debug(`Sending quorum node list seq = ${seq}, quorate = ${quorate ? 1 : 0}`);
    this.dump(nodes);
    this.send({ type: MSG.nodeList, seq, listType: "quorum", quorate, nodes });
  }
}
