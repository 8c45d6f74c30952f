/** A scenario's cluster of real daemons: corosync, and with a quorum device corosync-qdevice and corosync-qnetd, each on a host of its own. */
import { RealHosts } from "../conf/real-hosts.ts";
import type { Cluster, Said } from "./play.ts";
import { confOf, nameOf, QNETD, type Act, type Scenario } from "./scenario.ts";

const KEY = "/etc/corosync/authkey";
const CONF = "/etc/corosync/corosync.conf";
/** No card has it: what is sent there nobody takes. */
const NOWHERE = "02:00:00:00:ff:ff";

const macOf = (node: number, link: number): string => `02:00:00:00:0${link}:${(node === QNETD ? 200 : node).toString(16).padStart(2, "0")}`;
const addressOf = (node: number, link: number): string => `10.10.${link}.${node === QNETD ? 200 : node}`;

export class RealCluster implements Cluster {
  private readonly hosts: RealHosts;
  private readonly nodes: readonly number[];

  constructor(private readonly scenario: Scenario) {
    this.nodes = Array.from({ length: scenario.nodes }, (_, i) => i + 1);
    const plan = (node: number, links: number): { name: string; addresses: string[] } => ({
      name: nameOf(node),
      addresses: Array.from({ length: links }, (_, k) => `${addressOf(node, k)}/24`),
    });
    const plans = this.nodes.map((node) => plan(node, scenario.links));
    if (scenario.device !== undefined) plans.push(plan(QNETD, 1));
    this.hosts = new RealHosts(plans);
    try {
      this.write(confOf(scenario, scenario.votes, 1));
      for (const node of this.nodes) this.hosts.write(nameOf(node), KEY, "k".repeat(256), "0400");
      for (const node of this.everybody) this.reach(node, this.everybody);
    } catch (error) {
      void this.hosts.close();
      throw error;
    }
  }

  private get everybody(): number[] {
    return this.scenario.device === undefined ? [...this.nodes] : [...this.nodes, QNETD];
  }

  private linksOf(node: number): number {
    return node === QNETD ? 1 : this.scenario.links;
  }

  /** Frames of `node` arrive at those of `others` that it reaches, and at nobody else: a table of neighbours says where they go. */
  private reach(node: number, reached: readonly number[]): void {
    const lines: string[] = [];
    for (let k = 0; k < this.linksOf(node); k++) {
      lines.push(`ip link set eno${k + 1} address ${macOf(node, k)}`);
      for (const other of this.everybody) {
        if (other === node || k >= this.linksOf(other)) continue;
        const mac = reached.includes(other) ? macOf(other, k) : NOWHERE;
        lines.push(`ip neigh replace ${addressOf(other, k)} lladdr ${mac} dev eno${k + 1} nud permanent`);
      }
    }
    this.hosts.sh(nameOf(node), lines.join("\n"));
  }

  wait(seconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }

  async do(act: Act): Promise<Said | undefined> {
    switch (act.kind) {
      case "start-all":
        for (const node of this.nodes) await this.start(node);
        if (this.scenario.device !== undefined) await this.must(QNETD, "corosync-qnetd -s off");
        await this.startDevice(this.nodes);
        return undefined;
      case "start":
        await this.start(act.node);
        await this.startDevice([act.node]);
        return undefined;
      case "stop":
        await this.signal(act.node, "TERM", "corosync-qdevice/corosync-qdevice.pid", true);
        await this.signal(act.node, "TERM", "corosync.pid", false);
        return undefined;
      case "kill":
        await this.signal(act.node, "KILL", "corosync-qdevice/corosync-qdevice.pid", true);
        await this.signal(act.node, "KILL", "corosync.pid", false);
        return undefined;
      case "stall":
        await this.signal(act.node, "STOP", "corosync.pid", false);
        return undefined;
      case "resume":
        await this.signal(act.node, "CONT", "corosync.pid", false);
        return undefined;
      case "partition": {
        // Whoever is in no group reaches everybody, and is reached.
        const free = this.everybody.filter((node) => !act.groups.some((g) => g.includes(node)));
        for (const node of this.everybody) {
          const group = act.groups.find((g) => g.includes(node));
          this.reach(node, group === undefined ? this.everybody : [...group, ...free]);
        }
        return undefined;
      }
      case "heal":
        for (const node of this.everybody) this.reach(node, this.everybody);
        return undefined;
      case "expected":
        return this.ask(act.node, ["corosync-quorumtool", "-e", String(act.votes)]);
      case "reload":
        return this.ask(act.node, ["corosync-cfgtool", "-R"]);
    }
  }

  private async must(node: number, script: string): Promise<void> {
    const { status, stdout, stderr } = await this.ask(node, ["sh", "-c", script]);
    if (status !== 0) throw new Error(`${nameOf(node)}: ${script}: status ${status ?? "none"}\n${stdout}${stderr}`);
  }

  /** The daemon goes to the background by itself; what it says of a file that it refuses it says before or in its log. */
  private async start(node: number): Promise<void> {
    await this.ask(node, ["sh", "-c", "corosync >/dev/null 2>&1 </dev/null"]);
  }

  private async startDevice(nodes: readonly number[]): Promise<void> {
    if (this.scenario.device === undefined) return;
    await this.wait(1);
    for (const node of nodes) await this.ask(node, ["sh", "-c", "corosync-qdevice >/dev/null 2>&1 </dev/null"]);
  }

  /** To the process that the file names, if there is one. */
  private async signal(node: number, signal: string, file: string, devices: boolean): Promise<void> {
    if (devices && this.scenario.device === undefined) return;
    await this.ask(node, ["sh", "-c", `pid=$(cat /run/${file}) && kill -${signal} $pid`]);
  }

  write(text: string): void {
    for (const node of this.nodes) this.hosts.write(nameOf(node), CONF, text, "0644");
  }

  ask(node: number, argv: readonly string[]): Promise<Said> {
    return this.hosts.ask(nameOf(node), ...argv);
  }

  close(): Promise<void> {
    return this.hosts.close();
  }
}
