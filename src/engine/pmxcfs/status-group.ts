/**
 * The status as a group's data: the members' cluster logs become one, and every member says its own keys again at each synchronisation. In the real stack: the callbacks of status.c. Group
 * pve_kvstore_v1, protocol 0.
 */
import { decodeLog, encodeLog } from "./cluster-log.ts";
import type { DfsmData, Decision, States } from "./dfsm.ts";
import { LOG, VALUE, decodeValue, encodeValue, sameMember, type Member } from "./messages.ts";
import type { Status } from "./status.ts";

export const STATUS_GROUP = "pve_kvstore_v1";

export interface StatusPort {
  readonly self: Member;
  seconds(): number;
  log(level: "notice" | "crit", text: string): void;
  send(subtype: number, body: Uint8Array): void;
  members(members: readonly Member[]): void;
  /** What this node says of itself at every synchronisation, its address first. */
  own(): readonly { readonly key: string; readonly data: Uint8Array }[];
}

export class StatusData implements DfsmData {
  readonly protocol = 0;

  constructor(
    private readonly status: Status,
    private readonly port: StatusPort,
  ) {}

  state(): Uint8Array {
    return encodeLog(this.status.log.all());
  }

  decide(states: States): Decision {
    this.status.log.merge(states.map(({ state }) => decodeLog(state)));
    return "synced";
  }

  update(): void {
    throw new Error("nobody leads the status group");
  }

  commit(): boolean {
    throw new Error("nobody leads the status group");
  }

  /** What this node said itself it knows already. */
  deliver(from: Member, subtype: number, _time: number, body: Uint8Array): undefined {
    if (subtype === LOG) {
      const [entry] = decodeLog(body);
      if (entry === undefined) return;
      if (!sameMember(from, this.port.self)) this.port.log("notice", "received log");
      this.status.log.add(entry);
      return;
    }
    const node = this.status.info.nameOf(from.nodeId);
    if (subtype !== VALUE || node === undefined) return;
    const { key, data } = decodeValue(body);
    if (key === "nodeip" || !sameMember(from, this.port.self)) this.status.setValue(node, key, data, this.port.seconds());
  }

  members(members: readonly Member[]): void {
    this.port.members(members);
  }

  synced(): void {
    for (const { key, data } of this.port.own()) this.port.send(VALUE, encodeValue(key, data));
  }
}
