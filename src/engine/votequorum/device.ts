/**
 * The quorum device's side of votequorum: what the corosync-qdevice process asks of the service on its node. It registers under a name the whole cluster
 * agrees on, polls with its vote and the ring it knows, may say that its partition wins, and loses its vote when it does not poll in time; a sync waits for
 * its poll. In the real stack: the votequorum_qdevice_* calls and the poll timer of votequorum.c. Left out: the connection, which the caller is.
 */
import { ByteWriter, MS, fromUtf8, utf8, type ByteReader, type LogLevel, type Port } from "../kernel/index.ts";
import { sameRing, type RingId } from "../totem/types.ts";
import {
  DEVICE_NODE_ID,
  FLAG_DEVICE_ALIVE,
  FLAG_DEVICE_CAST_VOTE,
  FLAG_DEVICE_MASTER_WINS,
  FLAG_DEVICE_REGISTERED,
  HANDLER_DEVICE_REGISTER,
  HANDLER_DEVICE_RENAME,
} from "./flags.ts";
import type { VotequorumParams } from "./options.ts";
import type { DeviceParams, OptionState, VoteTable } from "./table.ts";

export type DeviceError =
  "CS_ERR_INVALID_PARAM" | "CS_ERR_NOT_EXIST" | "CS_ERR_TRY_AGAIN" | "CS_ERR_ACCESS" | "CS_ERR_EXIST" | "CS_ERR_MESSAGE_ERROR";

/** Bytes of a device's name with its end mark. Source: votequorum.h. */
const NAME_MAX = 255;
const OPERATION_UNREGISTER = 0;
const OPERATION_REGISTER = 1;
const TIMER = "qdevice";

/** What the device may do beyond the table. */
export interface DeviceHooks {
  debug(text: () => string): void;
  sendNodeInfo(nodeId: number): void;
  /** False: the queue towards the ring is full. */
  mcast(handler: number, payload: Uint8Array): boolean;
  /** The answer to a registration that went through the ring. */
  registered(error: DeviceError | undefined): void;
}

const ringText = (ring: RingId): string => `${ring.rep.toString(16)}.${ring.seq.toString(16)}`;

export class QuorumDevice {
  constructor(
    private readonly port: Port,
    private readonly table: VoteTable,
    private readonly hooks: DeviceHooks,
  ) {}

  private has(flag: number): boolean {
    return (this.table.us().flags & flag) !== 0;
  }

  private get registered(): boolean {
    return this.has(FLAG_DEVICE_REGISTERED);
  }

  /** The configuration names a device, or none any more. */
  configure(params: DeviceParams | undefined): void {
    const d = this.table.state.device;
    d.votes = params?.votes ?? 0;
    if (params === undefined) return;
    d.timeoutMs = params.timeoutMs;
    d.syncTimeoutMs = params.syncTimeoutMs;
    this.operate(true);
  }

  /** Whether the configuration lets a device register. */
  private operate(can: boolean): void {
    this.table.state.device.canOperate = can;
    this.table.written("qdevice_can_operate");
  }

  /** At run time what does not go together switches the device off; of two_node and a registered device the device stays. */
  settle(options: OptionState, params: VotequorumParams, say: (level: LogLevel, text: string) => void): void {
    const d = this.table.state.device;
    if (params.device === undefined) return;
    if (options.twoNode) {
      say("crit", "configuration error: two_node and quorum device cannot be configured at the same time!");
      options.twoNode = !this.registered;
      say(
        "crit",
        this.registered ? "quorum device is registered, disabling two_node" : "quorum device is not registered, allowing two_node",
      );
      if (options.twoNode) this.operate(false);
    }
    if (params.deviceConflict === undefined) return;
    say("crit", params.deviceConflict);
    say("crit", "disabling quorum device operations");
    this.operate(false);
    d.votes = 0;
  }

  // ── what the device's process asks ───────────────────────────────────────────────────────────────────────────────────

  /** @returns undefined where the answer is OK, or will come through `registered` when the request has gone round */
  register(name: string): DeviceError | undefined {
    const d = this.table.state.device;
    if (!validName(name)) return "CS_ERR_INVALID_PARAM";
    if (d.canOperate === false) {
      this.port.log("info", "VOTEQ", "Registration of quorum device is disabled by incorrect corosync.conf. See logs for more information");
      return "CS_ERR_ACCESS";
    }
    if (this.registered) {
      if (name !== d.name) {
        this.port.log("warning", "VOTEQ", `A new qdevice with different name (new: ${name} old: ${d.name}) is trying to re-register!`);
        return "CS_ERR_EXIST";
      }
      this.hooks.registered(undefined);
      return undefined;
    }
    if (d.registering) {
      this.port.log("warning", "VOTEQ", "Registration request already in progress");
      return "CS_ERR_TRY_AGAIN";
    }
    if (!this.sendRegister(OPERATION_REGISTER, name)) {
      this.port.log("warning", "VOTEQ", "Unable to send qdevice registration request to cluster");
      return "CS_ERR_TRY_AGAIN";
    }
    d.registering = true;
    return undefined;
  }

  unregister(name: string): DeviceError | undefined {
    const d = this.table.state.device;
    if (!this.registered) return "CS_ERR_NOT_EXIST";
    if (name !== d.name) return "CS_ERR_INVALID_PARAM";
    this.disarm();
    d.awaited = false;
    this.table.us().flags &= ~(FLAG_DEVICE_REGISTERED | FLAG_DEVICE_ALIVE | FLAG_DEVICE_CAST_VOTE | FLAG_DEVICE_MASTER_WINS);
    this.hooks.sendNodeInfo(this.table.nodeId);
    this.sendRegister(OPERATION_UNREGISTER, name);
    return undefined;
  }

  update(oldName: string, newName: string): DeviceError | undefined {
    if (!validName(oldName) || !validName(newName)) return "CS_ERR_INVALID_PARAM";
    if (!this.registered) return "CS_ERR_NOT_EXIST";
    if (oldName !== this.table.state.device.name) return "CS_ERR_INVALID_PARAM";
    const payload = new ByteWriter().u8(utf8(oldName).length).raw(utf8(oldName)).raw(utf8(newName)).done();
    this.hooks.mcast(HANDLER_DEVICE_RENAME, payload);
    return undefined;
  }

  /** A poll counts only for the ring of the last sync; it proves the device alive until the timeout. */
  poll(name: string, castVote: boolean, ring: RingId): DeviceError | undefined {
    const { state } = this.table;
    if (state.device.canOperate === false) return "CS_ERR_ACCESS";
    if (!this.registered) return "CS_ERR_NOT_EXIST";
    if (!sameRing(ring, state.ring)) {
      this.hooks.debug(
        () => `Received poll ring id (${ringText(ring)}) != last sync ring id (${ringText(state.ring)}). Ignoring poll call.`,
      );
      return "CS_ERR_MESSAGE_ERROR";
    }
    if (name !== state.device.name) return "CS_ERR_INVALID_PARAM";
    this.setFlags(FLAG_DEVICE_ALIVE | (castVote ? FLAG_DEVICE_CAST_VOTE : 0), castVote ? 0 : FLAG_DEVICE_CAST_VOTE);
    this.arm(state.device.timeoutMs);
    state.device.awaited = false;
    return undefined;
  }

  masterWins(name: string, allow: boolean): DeviceError | undefined {
    const d = this.table.state.device;
    if (d.canOperate === false) return "CS_ERR_ACCESS";
    if (!this.registered) return "CS_ERR_NOT_EXIST";
    if (name !== d.name) return "CS_ERR_INVALID_PARAM";
    this.setFlags(allow ? FLAG_DEVICE_MASTER_WINS : 0, allow ? 0 : FLAG_DEVICE_MASTER_WINS);
    d.masterWins = allow;
    this.table.written("qdevice_master_wins");
    return undefined;
  }

  /** Own flags changed: everybody is told. */
  private setFlags(on: number, off: number): void {
    const us = this.table.us();
    const before = us.flags;
    us.flags = (us.flags | on) & ~off;
    if (us.flags !== before) this.hooks.sendNodeInfo(us.nodeId);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private arm(ms: number): void {
    this.port.setTimer(TIMER, this.port.now() + ms * MS);
    this.table.state.device.armed = true;
  }

  private disarm(): void {
    this.port.clearTimer(TIMER);
    this.table.state.device.armed = false;
  }

  /** A sync began: the poll timer starts over with the longer timeout, and the sync does not end before a poll or the timeout. */
  syncInit(): void {
    const d = this.table.state.device;
    d.awaited = false;
    if (!this.registered || !this.has(FLAG_DEVICE_ALIVE)) return;
    this.arm(d.syncTimeoutMs);
    d.awaited = true;
    this.port.log("info", "VOTEQ", `waiting for quorum device ${d.name} poll (but maximum for ${d.syncTimeoutMs} ms)`);
  }

  /** The sync under way has to wait. */
  get awaited(): boolean {
    return this.registered && this.table.state.device.awaited;
  }

  /** No poll came in time. @returns false for a timer that is not this one's */
  timer(name: string): boolean {
    if (name !== TIMER) return false;
    const d = this.table.state.device;
    d.armed = false;
    d.awaited = false;
    if (!this.registered) return true;
    this.table.us().flags &= ~(FLAG_DEVICE_ALIVE | FLAG_DEVICE_CAST_VOTE);
    this.port.log("info", "VOTEQ", `lost contact with quorum device ${d.name}`);
    this.hooks.sendNodeInfo(this.table.nodeId);
    return true;
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  private sendRegister(operation: number, name: string): boolean {
    return this.hooks.mcast(HANDLER_DEVICE_REGISTER, new ByteWriter().u32(operation).raw(utf8(name)).done());
  }

  /** In a sync everybody tells the device's name, so that a newcomer knows it. False: the queue is full. */
  tellName(): boolean {
    const { name } = this.table.state.device;
    return name === "" || this.sendRegister(OPERATION_REGISTER, name);
  }

  onRegister(from: number, r: ByteReader): void {
    const operation = r.u32();
    const name = fromUtf8(r.raw(r.left));
    this.hooks.debug(() => `Received qdevice op ${operation} req from node ${from} [${name}]`);
    if (operation === OPERATION_REGISTER) this.onRegistered(from, name);
    else if (operation === OPERATION_UNREGISTER) this.onUnregistered();
  }

  private onRegistered(from: number, name: string): void {
    const d = this.table.state.device;
    if (from !== this.table.nodeId) {
      if (d.name !== "") return;
      this.hooks.debug(() => "Remote qdevice name recorded");
      d.name = name;
      return;
    }
    // Also what this node itself says in a sync comes here, with no request open.
    if (!d.registering) return;
    d.registering = false;
    if (d.name !== "" && d.name !== name) {
      this.port.log("warning", "VOTEQ", `A new qdevice with different name (new: ${name} old: ${d.name}) is trying to register!`);
      this.hooks.registered("CS_ERR_EXIST");
      return;
    }
    d.name = name;
    this.table.us().flags |= FLAG_DEVICE_REGISTERED;
    this.hooks.sendNodeInfo(DEVICE_NODE_ID);
    this.hooks.sendNodeInfo(this.table.nodeId);
    this.hooks.registered(undefined);
  }

  /** The name is forgotten when no member has the device registered any more. */
  private onUnregistered(): void {
    const used = this.table.members().some((n) => (n.flags & FLAG_DEVICE_REGISTERED) !== 0);
    if (!used) this.table.state.device.name = "";
  }

  onRename(from: number, r: ByteReader): void {
    const oldName = fromUtf8(r.raw(r.u8()));
    const newName = fromUtf8(r.raw(r.left));
    this.hooks.debug(() => `Received qdevice name change req from node ${from} [from: ${oldName} to: ${newName}]`);
    const d = this.table.state.device;
    if (oldName !== d.name) return;
    this.hooks.debug(() => "Allowing qdevice rename");
    d.name = newName;
  }
}

function validName(name: string): boolean {
  const bytes = utf8(name).length;
  return bytes > 0 && bytes < NAME_MAX;
}
