/**
 * A whole lab with a quorum device: nodes, a host with corosync-qnetd, a network. Commands: cluster NODES ffsplit|lms [quorum.device.timeout in ms] · run SECONDS · partition 1,2,qnetd 3,4 · heal · start|stop|kill NODE [qdevice] ·
 * start|stop|kill|pause|resume qnetd · votes (of each node that runs: what corosync-quorumtool -s says) · device NODE (corosync-qdevice-tool -s, in one line) · server (corosync-qnetd-tool -l, in one line a node). Shown: answers alone.
 */
import { SEC } from "../../../src/engine/kernel/index.ts";
import { makeMachine } from "../../../src/engine/node/index.ts";
import { World, type WorldAct } from "../../../src/engine/world/index.ts";
import { runLine } from "../../../src/main/shell/exec.ts";
import { WorldPort } from "../../../src/main/shell/world-port.ts";
import { labOf } from "../../conformance/lab.ts";
import type { Driver } from "../told.ts";

const BOOTED = 20 * SEC;

function confOf(nodes: number, algorithm: string, timeout: string | undefined): string {
  const list = Array.from(
    { length: nodes },
    (_, i) => `  node {\n    name: node${i + 1}\n    nodeid: ${i + 1}\n    quorum_votes: 1\n    ring0_addr: 10.10.0.${i + 1}\n  }\n`,
  ).join("");
  const votes = algorithm === "ffsplit" ? 1 : nodes - 1;
  const device = `  device {\n    model: net\n    votes: ${votes}\n${timeout === undefined ? "" : `    timeout: ${timeout}\n`}    net {\n      algorithm: ${algorithm}\n      host: 10.10.0.200\n      tls: off\n    }\n  }\n`;
  return `nodelist {\n${list}}\nquorum {\n  provider: corosync_votequorum\n${device}}\ntotem {\n  cluster_name: lab\n  config_version: 1\n  interface {\n    linknumber: 0\n  }\n  version: 2\n}\n`;
}

const nameOf = (id: string): string => (id === "qnetd" ? id : `node${id}`);
const field = (text: string, label: string): string => new RegExp(`^\\s*${label}:\\s*(.*?)\\s*$`, "m").exec(text)?.[1] ?? "";

export class QdeviceDriver implements Driver {
  private world: World | undefined;
  private nodes = 0;

  async run(line: string): Promise<string[]> {
    const [verb, ...args] = line.split(" ");
    const [first = "", second] = args;
    switch (verb) {
      case "cluster":
        this.cluster(Number(first), second ?? "", args[2]);
        return [];
      case "run":
        this.lab.runUntil(this.lab.now + Number(first) * SEC);
        return [];
      case "partition":
        this.act({ to: "fabric", act: { kind: "partition", groups: args.map((ids) => ids.split(",").map(nameOf)) } });
        return [];
      case "heal":
        this.act({ to: "fabric", act: { kind: "heal" } });
        return [];
      case "start":
      case "stop":
      case "kill":
        this.unit(first, verb, first === "qnetd" ? "corosync-qnetd" : second === "qdevice" ? "corosync-qdevice" : "corosync");
        return [];
      case "pause":
      case "resume":
        this.act({
          to: "machine",
          machine: first,
          act: { kind: verb === "pause" ? "service-stall" : "service-resume", unit: "corosync-qnetd" },
        });
        return [];
      case "votes":
        return this.votes();
      case "device":
        return [await this.device(first)];
      case "server":
        return this.server();
      default:
        throw new Error(`qdevice transcripts have no such command: ${line}`);
    }
  }

  private get lab(): World {
    if (this.world === undefined) throw new Error("there is no cluster yet");
    return this.world;
  }

  private cluster(nodes: number, algorithm: string, timeout: string | undefined): void {
    this.nodes = nodes;
    this.world = new World(labOf(confOf(nodes, algorithm, timeout), "transcript"), makeMachine);
    this.world.runUntil(BOOTED);
    for (let id = 1; id <= nodes; id++) this.unit(String(id), "start", "corosync");
    this.unit("qnetd", "start", "corosync-qnetd");
    this.world.runUntil(BOOTED + 6 * SEC);
    for (let id = 1; id <= nodes; id++) this.unit(String(id), "start", "corosync-qdevice");
  }

  private act(act: WorldAct): void {
    const done = this.lab.act(act);
    if (!done.ok) throw new Error(done.message);
  }

  private unit(id: string, op: "start" | "stop" | "kill", unit: string): void {
    this.act({ to: "machine", machine: nameOf(id), act: { kind: "service", op, unit } });
  }

  private async type(id: string, line: string): Promise<string> {
    let out = "";
    const port = new WorldPort(this.lab, nameOf(id));
    const take = (text: string): void => void (out += text);
    await runLine(port, line, { stdout: take, stderr: take });
    port.close();
    return out;
  }

  private async votes(): Promise<string[]> {
    const lines: string[] = [];
    for (let id = 1; id <= this.nodes; id++) {
      const said = await this.type(String(id), "corosync-quorumtool -s");
      const rows = [...said.matchAll(/^ +(\d+) +\d+ +([A-Z,]+) node\d/gm)].map((m) => m[1] ?? "");
      lines.push(
        rows.length === 0
          ? `node${id}: does not run`
          : `node${id}: members ${rows.join(" ")}; ${field(said, "Total votes")} of ${field(said, "Expected votes")} votes, quorum ${field(said, "Quorum")}: ${field(said, "Flags") || "-"}`,
      );
    }
    return lines;
  }

  private async device(id: string): Promise<string> {
    const said = await this.type(id, "corosync-qdevice-tool -s");
    const [algorithm, state] = [field(said, "Algorithm"), field(said, "State")];
    return `node${id}: ${algorithm === "" ? said.split("\n")[0] : `${algorithm}, ${state}`}`;
  }

  private async server(): Promise<string[]> {
    const said = await this.type("qnetd", "corosync-qnetd-tool -l");
    const clients = said.split(/^ {4}Node ID /m).slice(1);
    if (clients.length === 0) return [`qnetd: ${said.split("\n")[0] === "" ? "no clients" : said.split("\n")[0]}`];
    return clients.map((c) => `node${/^\d+/.exec(c)?.[0]}: members ${field(c, "Membership node list")}; vote ${field(c, "Vote")}`);
  }
}
