/** The votes of all nodes of the list, asked for one by one, as the fifty-fifty algorithm wants to know them. In the real stack: qdevice-net-algo-ffsplit.c's calls of votequorum_getinfo. */
import { configNodes } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import type { DevicePort, DeviceReply, NodeVotes, Waiting } from "./device-state.ts";

type Round = Extract<Waiting, { on: "getinfo" }>;

export class DeviceVotes {
  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    private readonly known: (votes: readonly NodeVotes[], round: Pick<Round, "purpose" | "expected">) => void,
  ) {}

  /** @param expected expected votes that have been told meanwhile */
  ask(purpose: Round["purpose"], expected: number): void {
    const left = configNodes(this.port.get, this.port.list).map((n) => n.nodeId);
    this.next({ on: "getinfo", purpose, expected, left, votes: [] });
  }

  private next(round: Round): void {
    const nodeId = round.left[0];
    if (nodeId !== undefined) this.device.wait(round, { call: "getinfo", nodeId });
    else this.known(round.votes, round);
  }

  /** Of a node that votequorum has never heard of it knows nothing, whatever the file says (recorded). */
  answered(round: Round, reply: DeviceReply): void {
    const nodeId = round.left.shift();
    if (nodeId !== undefined && reply.votes !== undefined) round.votes.push({ nodeId, votes: reply.votes });
    this.next(round);
  }
}
