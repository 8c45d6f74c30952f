/**
 * The corosync-qnetd server: takes connections, keeps what each client tells, asks the cluster's algorithm and passes its votes on; drops who is silent for too
 * long. In the real stack: qnetd.c, qnetd-instance.c, qnetd-client-*.c. Left out: TLS itself (whether a client began it is kept and shown), the
 * limit of clients, and what runs out of memory.
 */
import { cloneState, type Hasher, type TcpEvent } from "../../kernel/index.ts";
import { digestQnetd, type QnetdState } from "./qnetd-digest.ts";
import { ClientMessages } from "./client-messages.ts";
import { ALGORITHM, DPD_COEFFICIENT, QnetdInstance, type QnetdPort, type QnetdSettings } from "./qnetd-instance.ts";
import { newClient } from "./qnetd-init.ts";
import { REPLY, type QnetdClient, type QnetdCluster } from "./qnetd-types.ts";
import { QNETD_PORT, cutMessages, joinBytes } from "../tlv.ts";

/** What corosync-qnetd-tool and the status read. */
export interface QnetdView {
  readonly settings: QnetdSettings;
  readonly clusters: readonly { readonly cluster: QnetdCluster; readonly clients: readonly QnetdClient[] }[];
  readonly clients: number;
}

export class Qnetd {
  private readonly q: QnetdInstance;
  private readonly messages: ClientMessages;

  constructor(
    private readonly port: QnetdPort,
    readonly settings: QnetdSettings,
  ) {
    this.q = new QnetdInstance(port, settings);
    this.messages = new ClientMessages(this.q);
  }

  /** The daemon comes up. False: somebody else has the port. */
  start(): boolean {
    this.q.debug("Initializing nss");
    this.q.debug("Initializing local socket");
    this.q.debug("Creating listening socket");
    if (!this.port.tcp.listen(QNETD_PORT)) return false;
    this.q.debug("Registering algorithms");
    this.q.debug("QNetd ready to provide service");
    this.q.debug("Running QNetd main loop");
    return true;
  }

  /** SIGTERM, or corosync-qnetd-tool -H: clients are told nothing but the end of the connection. */
  shutDown(by: "SIGTERM" | "tool"): void {
    this.q.debug(by === "SIGTERM" ? "SIGTERM received - closing server IPC socket" : "IPC client requested shutdown");
    this.q.debug("Listening socket is closed");
    this.q.debug("Destroying qnetd ipc");
    this.q.debug("Closing server socket");
    for (const c of this.q.state.clients) {
      const who = `(init_received ${c.init ? 1 : 0}, cluster ${c.clusterName}, node_id ${c.nodeId})`;
      this.q.debug(`Client ${c.address} ${who} disconnect (server is going down)`);
    }
    this.q.debug("Closing log");
  }

  get view(): QnetdView {
    const clusters = this.q.state.clusters.map((cluster) => ({ cluster, clients: this.q.members(cluster) }));
    return { settings: this.settings, clusters, clients: this.q.state.clients.length };
  }

  // ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────────

  event(event: TcpEvent): void {
    if (event.kind === "accepted") {
      const address = event.remote.includes(":") ? event.remote : `::ffff:${event.remote}`;
      const shown = event.remote.includes(":") ? `[${address}]:${event.remotePort}` : `${address}:${event.remotePort}`;
      this.q.state.clients.push(newClient(event.id, shown));
      return;
    }
    const client = this.q.state.clients.find((c) => c.id === event.id);
    if (client === undefined) return;
    if (event.kind === "data") this.received(client, event.bytes);
    else if (event.kind === "closed") {
      this.q.debug("Client closed connection");
      this.disconnect(client);
    } else if (event.kind === "reset") {
      this.port.log("error", "Unhandled error when reading from client. Disconnecting client (-5961): TCP connection reset by peer");
      this.disconnect(client);
    }
  }

  private disconnect(client: QnetdClient): void {
    this.q.debug(
      `Client ${client.address} (init_received ${client.init ? 1 : 0}, cluster ${client.clusterName}, node_id ${client.nodeId}) disconnect`,
    );
    const cluster = this.q.clusterOf(client);
    if (client.init && cluster !== undefined) ALGORITHM[client.algorithm].disconnect(this.q.algorithmPort(cluster), client);
    this.port.clearTimer(`dpd/${client.id}`);
    this.port.clearTimer(`algorithm/${client.id}`);
    this.q.state.clients = this.q.state.clients.filter((c) => c !== client);
    this.port.tcp.close(client.id);
    if (cluster !== undefined && this.q.members(cluster).length === 0)
      this.q.state.clusters = this.q.state.clusters.filter((c) => c !== cluster);
  }

  private received(client: QnetdClient, bytes: Uint8Array): void {
    const { messages, rest, tooLong } = cutMessages(joinBytes(client.stream, bytes));
    client.stream = rest;
    for (const message of messages) {
      if (!this.q.state.clients.includes(client)) return;
      this.q.heard(client);
      this.messages.take(client, message);
    }
    if (!tooLong || !this.q.state.clients.includes(client)) return;
    this.port.log("warning", `Client wants to send too long message ${rest.length} bytes. Skipping message`);
    client.stream = new Uint8Array(0);
    this.q.error(client, undefined, REPLY.messageTooLong);
  }

  timer(name: string): void {
    const slash = name.indexOf("/");
    const client = this.q.state.clients.find((c) => String(c.id) === name.slice(slash + 1));
    if (client === undefined) return;
    if (name.startsWith("dpd/")) {
      const ms = Math.floor(client.heartbeatMs * DPD_COEFFICIENT);
      this.port.log("warning", `Client ${client.address} doesn't sent any message during ${ms}ms. Disconnecting`);
      this.disconnect(client);
    } else this.algorithmTimer(client);
  }

  private algorithmTimer(client: QnetdClient): void {
    const cluster = this.q.clusterOf(client);
    if (cluster === undefined) return;
    const port = this.q.algorithmPort(cluster);
    let again = false;
    const result = ALGORITHM[client.algorithm].timer({ ...port, schedule: (c) => (again = true) && port.schedule(c) }, client);
    const vote = result === "ACK" || result === "NACK" ? result : undefined;
    this.q.debug(
      `Algorithm for client ${client.address} decided to ${again ? "" : "not "}reschedule timer and ${vote === undefined ? "not send vote" : `send vote with value ${vote}`}`,
    );
    if (vote === undefined) return;
    client.voteInfoSeq++;
    port.sendVoteInfo(client, client.ring, vote);
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): unknown {
    return cloneState(this.q.state);
  }

  restore(state: unknown): void {
    this.q.state = cloneState(state as QnetdState);
  }

  digest(h: Hasher): void {
    digestQnetd(h, this.q.state);
  }
}
