/**
 * One process group of pmxcfs over corosync's cpg: joined, tried again, left; what is sent waits its turn and is tried again while corosync says so. In the real stack: the service half of dfsm.c and
 * libcpg. Left out: that sending blocks the daemon meanwhile.
 */
import { CPG, ServiceClient, type Connection, type CpgCalls, type CpgNotices } from "../corosync/index.ts";
import { MS, NEVER, type Hasher, type Instant, type IpcEvent, type Os } from "../kernel/index.ts";
import type { Dfsm } from "./dfsm.ts";
import type { Member } from "./messages.ts";
import { RetriedService, type ServiceState } from "./retried-service.ts";

/** cpg_mcast_joined is tried again so often and so many times. */
const SEND_RETRY = 100 * MS;
const SEND_RETRIES_MAX = 100;

type Phase = "down" | "joining" | "in" | "left";

interface GroupLinkState extends ServiceState {
  readonly connection: Connection;
  readonly phase: Phase;
  readonly nodeId: number;
  readonly outbox: readonly Uint8Array[];
  readonly asked: "local" | "join" | "mcast" | undefined;
  readonly retries: number;
  readonly retryAt: Instant;
}

export class GroupLink extends RetriedService {
  private readonly cpg: ServiceClient<CpgCalls, CpgNotices>;
  private phase: Phase = "down";
  private nodeId = 0;
  private outbox: Uint8Array[] = [];
  private asked: GroupLinkState["asked"];
  private retries = 0;
  private retryAt: Instant = NEVER;

  constructor(
    private readonly os: Os,
    private readonly group: string,
    private readonly dfsm: () => Dfsm,
    log: (level: "notice" | "crit", text: string) => void,
  ) {
    super(log);
    this.cpg = new ServiceClient(os.ipc, CPG);
  }

  /** This process as the group knows it, once corosync has said which node this is. */
  get self(): Member {
    return { nodeId: this.nodeId, pid: this.os.pid };
  }

  get down(): boolean {
    return this.phase === "down" || this.phase === "left";
  }

  protected connect(): boolean {
    this.dfsm().restart();
    if (this.phase === "left") {
      // As recorded: the first attempt after a leave meets the membership that is still there, and only the connection's end frees the name.
      this.log("crit", "cpg_join failed: CS_ERR_EXIST");
      this.drop();
      return false;
    }
    if (!this.cpg.connect()) {
      this.log("crit", "cpg_initialize failed: CS_ERR_LIBRARY (failed to connect to corosync)");
      return false;
    }
    this.phase = "joining";
    this.asked = "local";
    this.cpg.ask("cpg_local_get", {});
    return true;
  }

  private join(): void {
    this.asked = "join";
    this.cpg.ask("cpg_join", { group: this.group, pid: this.os.pid });
  }

  leave(): void {
    if (this.phase !== "in") return;
    this.cpg.ask("cpg_leave", {});
    this.phase = "left";
    this.outbox = [];
    this.retryAt = NEVER;
  }

  private drop(): void {
    this.cpg.close();
    this.phase = "down";
    this.outbox = [];
    this.asked = undefined;
    this.retries = 0;
    this.retryAt = NEVER;
  }

  /** The daemon ends. */
  close(): void {
    this.drop();
  }

  multicast(message: Uint8Array): void {
    this.outbox.push(message);
    this.pump();
  }

  get queueLength(): number {
    return this.outbox.length;
  }

  private pump(): void {
    const [message] = this.outbox;
    if (this.phase !== "in" || this.asked !== undefined || message === undefined || this.retryAt !== NEVER) return;
    if (this.cpg.ask("cpg_mcast_joined", { message }) === undefined) this.again();
    else this.asked = "mcast";
  }

  private again(): void {
    this.retries++;
    if (this.retries % 10 === 0) this.log("notice", `cpg_send_message retry ${this.retries}`);
    if (this.retries < SEND_RETRIES_MAX) {
      this.retryAt = this.os.now + SEND_RETRY;
      return;
    }
    this.log("crit", "cpg_send_message failed: CS_ERR_TRY_AGAIN");
    this.sent();
  }

  private sent(): void {
    this.retries = 0;
    this.outbox.shift();
    this.pump();
  }

  nextAt(): Instant {
    return this.retryAt;
  }

  runTimer(): void {
    this.retryAt = NEVER;
    if (this.phase === "joining") this.join();
    else this.pump();
  }

  /** @returns false: the event is of another connection */
  event(event: IpcEvent): boolean {
    if (!this.cpg.owns(event.id)) return false;
    if (event.what === "gone") this.lost();
    else if (event.what === "reply") this.answered(event.reply.error, event.reply.nodeId);
    else if (event.what === "notice" && this.phase !== "left") this.told(event.notice);
    return true;
  }

  private lost(): void {
    this.log("crit", "cpg_dispatch failed: CS_ERR_LIBRARY");
    this.log("crit", "cpg_leave failed: CS_ERR_LIBRARY");
    this.cpg.lost();
    this.drop();
    this.dfsm().disconnected();
  }

  private answered(error: string | undefined, nodeId: unknown): void {
    const { asked } = this;
    this.asked = undefined;
    if (asked === "local") {
      if (typeof nodeId === "number") this.nodeId = nodeId;
      this.join();
    } else if (asked === "join") this.joined(error);
    else if (asked === "mcast" && error === "CS_ERR_TRY_AGAIN") this.again();
    else if (asked === "mcast") {
      if (error === undefined && this.retries > 0) this.log("notice", `cpg_send_message retried ${this.retries} times`);
      this.sent();
    }
  }

  private joined(error: string | undefined): void {
    if (error === undefined) this.phase = "in";
    else if (error === "CS_ERR_TRY_AGAIN") this.retryAt = this.os.now + SEND_RETRY;
    else {
      this.log("crit", `cpg_join failed: ${error}`);
      this.drop();
      this.failed();
    }
  }

  private told(notice: Parameters<typeof this.cpg.notice>[1]): void {
    const message = this.cpg.notice("cpg_deliver", notice);
    if (message !== undefined) return this.dfsm().received({ nodeId: message.nodeId, pid: message.pid }, message.message);
    const change = this.cpg.notice("cpg_confchg", notice);
    if (change === undefined) return;
    const member = ({ nodeId, pid }: Member): Member => ({ nodeId, pid });
    this.dfsm().changed(change.members.map(member), change.joined.map(member));
    this.pump();
  }

  snapshot(): GroupLinkState {
    const { phase, nodeId, asked, retries, retryAt } = this;
    return { ...this.serviceState(), connection: this.cpg.snapshot(), phase, nodeId, outbox: [...this.outbox], asked, retries, retryAt };
  }

  restore(state: GroupLinkState): void {
    this.restoreService(state);
    this.cpg.restore(state.connection);
    const { phase, nodeId, asked, retries, retryAt } = state;
    Object.assign(this, { phase, nodeId, asked, retries, retryAt, outbox: [...state.outbox] });
  }

  digest(h: Hasher): void {
    h.text(this.phase)
      .int(this.nodeId)
      .int(this.outbox.length)
      .int(this.retries)
      .int(this.retryAt)
      .text(this.asked ?? "");
  }
}
