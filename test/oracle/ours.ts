/** A scenario's cluster in the lab: virtual time, the same acts, the same questions. */
import type { Release } from "../../src/engine/config/index.ts";
import { SEC, Rng, utf8, type MachineAct } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, type WorldAct } from "../../src/engine/world/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { labOf } from "../conformance/lab.ts";
import type { Cluster, Said } from "./play.ts";
import { confOf, nameOf, type Act, type Scenario } from "./scenario.ts";

const BOOTED = 20 * SEC;
/** An act comes up to so much later. */
const LATE_MOST = 1.5 * SEC;

export class OurCluster implements Cluster {
  private readonly world: World;
  private readonly rng: Rng;

  /** @param timing each number draws its own delays, and how much acts are late */
  constructor(
    private readonly scenario: Scenario,
    private readonly timing: number,
    release: Release = "3.1.7",
  ) {
    const seed = `${scenario.seed} ${timing}`;
    this.world = new World(labOf(confOf(scenario, scenario.votes, 1), seed, release), makeMachine);
    this.rng = Rng.from(seed, "oracle");
    this.world.runUntil(BOOTED);
  }

  wait(seconds: number): Promise<void> {
    this.world.runUntil(this.world.now + seconds * SEC);
    return Promise.resolve();
  }

  private act(act: WorldAct): void {
    const done = this.world.act(act);
    if (!done.ok) throw new Error(`${JSON.stringify(act)}: ${done.message}`);
  }

  private machine(node: number, act: MachineAct): void {
    this.act({ to: "machine", machine: nameOf(node), act });
  }

  private unit(node: number, op: "start" | "stop" | "kill", unit: string): void {
    this.machine(node, { kind: "service", op, unit });
  }

  async do(act: Act): Promise<Said | undefined> {
    if (this.timing > 0) this.world.runUntil(this.world.now + this.rng.below(LATE_MOST));
    switch (act.kind) {
      case "start-all":
        await this.startAll();
        return undefined;
      case "start":
        this.unit(act.node, "start", "corosync");
        await this.startDevice([act.node]);
        return undefined;
      case "stop":
        // The device's unit binds itself to the daemon's; beside real daemons there is no systemd.
        if (this.scenario.device !== undefined) this.unit(act.node, "stop", "corosync-qdevice");
        this.unit(act.node, "stop", "corosync");
        return undefined;
      case "kill":
        if (this.scenario.device !== undefined) this.unit(act.node, "kill", "corosync-qdevice");
        this.unit(act.node, "kill", "corosync");
        return undefined;
      case "stall":
        this.machine(act.node, { kind: "service-stall", unit: "corosync" });
        return undefined;
      case "resume":
        this.machine(act.node, { kind: "service-resume", unit: "corosync" });
        return undefined;
      case "partition":
        this.act({ to: "fabric", act: { kind: "partition", groups: act.groups.map((g) => g.map(nameOf)) } });
        return undefined;
      case "heal":
        this.act({ to: "fabric", act: { kind: "heal" } });
        return undefined;
      case "expected":
        return this.ask(act.node, ["corosync-quorumtool", "-e", String(act.votes)]);
      case "reload":
        return this.ask(act.node, ["corosync-cfgtool", "-R"]);
    }
  }

  private async startAll(): Promise<void> {
    const nodes = Array.from({ length: this.scenario.nodes }, (_, i) => i + 1);
    for (const node of nodes) {
      this.unit(node, "start", "corosync");
      this.world.runUntil(this.world.now + this.rng.between(20_000, 120_000));
    }
    if (this.scenario.device === undefined) return;
    this.unit(0, "start", "corosync-qnetd");
    await this.startDevice(nodes);
  }

  private async startDevice(nodes: readonly number[]): Promise<void> {
    if (this.scenario.device === undefined) return;
    await this.wait(1);
    for (const node of nodes) this.unit(node, "start", "corosync-qdevice");
  }

  write(text: string): void {
    for (let node = 1; node <= this.scenario.nodes; node++)
      this.machine(node, { kind: "file-write", path: "/etc/corosync/corosync.conf", data: utf8(text), append: false });
  }

  async ask(node: number, argv: readonly string[]): Promise<Said> {
    const said = { status: 0, stdout: "", stderr: "" };
    const port = new WorldPort(this.world, nameOf(node));
    said.status = await runLine(port, argv.join(" "), {
      stdout: (text) => void (said.stdout += text),
      stderr: (text) => void (said.stderr += text),
    });
    port.close();
    return said;
  }
}
