/** Every request of the lab's API and who does it. */
import { dirname, resolve } from "node:path";
import { wrongWith } from "../../act/table.ts";
import type { JournalLine, LabInfo, ListedLab, Reply, Request } from "../../api.ts";
import type { Asker } from "../../history/tasks.ts";
import type { Lab } from "../../lab.ts";
import { usage } from "../../trouble.ts";
import { RunDesk } from "../../scenario/run-desk.ts";
import { WhatIfDesk } from "../../whatif/whatif-session.ts";
import { OtherLabs } from "../other-lab.ts";
import { answered } from "./answered.ts";
import type { NodeRequests } from "./node-requests.ts";
import { askerOf, type ServedClient } from "./served-client.ts";
import type { SessionRequests } from "./session-requests.ts";

/** What the process around the lab answers, rather than the lab. */
export interface Around {
  info(): Promise<LabInfo>;
  serve(port: number | undefined): Promise<Reply<"serve">>;
  /** The labs of this computer. */
  labs(): Promise<ListedLab[]>;
  /** Puts the lab's state on disk; time stands from then on. Throws Trouble when it cannot, and the lab goes on. */
  freeze(): Promise<void>;
}

export class Requests {
  private readonly desk = new WhatIfDesk();
  private readonly others = new OtherLabs();
  private readonly runs = new RunDesk();

  constructor(
    private readonly lab: Lab,
    private readonly around: Around,
    private readonly shells: SessionRequests,
    private readonly nodes: NodeRequests,
  ) {}

  /** Does what is asked. Returns the result, or `answered` where `reply` was called, as requests must whose answer comes before their first event. */
  async answer(client: ServedClient, r: Request, reply: (result: unknown) => void): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "hello":
      case "ping":
        return {};
      case "status":
      case "snapshot":
      case "time":
      case "record":
      case "timeline":
      case "tasks":
        return this.asOfNow(r);
      case "subscribe":
        return this.subscribe(client, r);
      case "act":
      case "acts":
      case "act-check":
      case "build":
      case "import":
      case "undo":
        return this.acts(r, askerOf(client));
      case "speed":
        return lab.setSpeed(r.speed, r.skipIdle === true);
      case "slow-motion":
        return lab.setSlowMotion(r.onChange, r.speed);
      case "pause":
      case "resume":
      case "step":
      case "skip":
        return this.pacing(r);
      case "upcoming":
        await lab.catchUp();
        return lab.upcoming();
      case "wait":
        return lab.wait(r.what);
      case "log":
        return this.log(client, r);
      case "seek":
      case "fork":
      case "snapshots":
      case "snapshot-save":
      case "snapshot-delete":
      case "rollback":
        return this.past(client, r);
      case "conf-check":
        return this.confCheck(r.text);
      case "export":
        return lab.export();
      case "info":
        return this.around.info();
      case "serve":
        return this.around.serve(r.port);
      case "whatif":
      case "labs":
      case "replay":
      case "scenario":
      case "lab-open":
      case "conf-plan":
      case "challenge":
      case "prove":
        return this.beside(r);
      case "down":
        return this.around.freeze();
      case "exec":
      case "exec-input":
      case "exec-signal":
      case "terminal-open":
      case "terminal-attach":
      case "terminal-write":
      case "terminal-resize":
      case "terminal-drawn":
      case "terminal-close":
        await this.shells.answer(client, r, reply);
        return answered;
      default:
        return this.nodes.answer(client, r, reply);
    }
  }

  private subscribe(client: ServedClient, r: Extract<Request, { op: "subscribe" }>): Reply<"subscribe"> {
    client.snapshots = r.snapshots;
    client.journal = r.journal ? () => true : undefined;
    client.trace = r.trace;
    client.shown = undefined;
    return {};
  }

  private async pacing(r: Extract<Request, { op: "pause" | "resume" | "step" | "skip" }>): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "pause":
        return lab.pause();
      case "resume":
        return lab.resume();
      case "step":
        return lab.step(r.unit, r.count);
      case "skip":
        return lab.skip();
    }
  }

  private confCheck(text: string): Reply<"conf-check"> {
    const findings = this.lab.confCheck(text);
    const count = (severity: string): number => findings.filter((f) => f.severity === severity).length;
    return { errors: count("error"), warnings: count("warning"), findings };
  }

  /** What is asked of no lab, or of another one: nothing of this one changes. */
  private async beside(
    r: Extract<Request, { op: "whatif" | "labs" | "replay" | "scenario" | "lab-open" | "conf-plan" | "challenge" | "prove" }>,
  ): Promise<unknown> {
    switch (r.op) {
      case "challenge":
      case "prove":
        throw usage(`${r.op} is for a page on the web that is not in yet`);
      case "conf-plan":
        await this.lab.catchUp();
        return this.lab.confPlan(r.node, r.text);
      case "whatif":
        return this.desk.ask(this.lab.world, r.variation);
      case "labs":
        return { labs: await this.around.labs() };
      case "replay":
      case "scenario":
        return this.runs.run({ what: r.op, text: r.text, name: r.name });
      case "lab-open":
        return this.others.open(r.what);
    }
  }

  private async asOfNow(r: Extract<Request, { op: "status" | "snapshot" | "time" | "record" | "timeline" | "tasks" }>): Promise<unknown> {
    const { lab } = this;
    await lab.catchUp();
    switch (r.op) {
      case "status":
        return lab.status(r.node);
      case "snapshot":
        return lab.snapshot();
      case "time":
        return lab.time();
      case "record":
        return { text: lab.record() };
      case "timeline":
        return lab.history.window(r.from, r.to, r.px);
      case "tasks":
        return lab.timeline.tasks.since(r.since);
    }
  }

  private async acts(
    r: Extract<Request, { op: "act" | "acts" | "act-check" | "build" | "import" | "undo" }>,
    asker: Asker,
  ): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "act":
        return { said: await lab.acts.act(r.line, asker) };
      case "acts":
        return { said: await lab.acts.together(r.lines, asker) };
      case "act-check":
        return { wrong: wrongWith(r.line, lab.world) };
      case "build":
        return { said: await lab.acts.build(r, asker) };
      case "import":
        return { said: await lab.acts.import(r, asker) };
      case "undo":
        return { said: await lab.acts.undo(asker) };
    }
  }

  private async past(
    client: ServedClient,
    r: Extract<Request, { op: "seek" | "fork" | "snapshots" | "snapshot-save" | "snapshot-delete" | "rollback" }>,
  ): Promise<unknown> {
    const { lab } = this;
    switch (r.op) {
      case "seek":
        return lab.seek(r.instant, r.pause === true);
      case "fork":
        if (client.page && dirname(resolve(r.dir)) !== dirname(lab.options.dir))
          throw usage(`fork ${JSON.stringify(r.dir)}: from a page a fork goes beside the lab, into ${dirname(lab.options.dir)}`);
        return lab.fork(r.dir, r.at);
      case "snapshots":
        return { snapshots: lab.snapshots() };
      case "snapshot-save":
        return lab.saveSnapshot(r.name, askerOf(client));
      case "snapshot-delete":
        return lab.deleteSnapshot(r.name, askerOf(client));
      case "rollback":
        return lab.rollback(r.name, askerOf(client));
    }
  }

  private log(client: ServedClient, r: Extract<Request, { op: "log" }>): { lines: JournalLine[] } {
    const lines = this.lab.log(r.node, r.unit, r.since);
    const wanted = (line: JournalLine): boolean =>
      (r.node === undefined || line.node === r.node) && (r.unit === undefined || line.unit === r.unit);
    // Those that are still to be told are among `lines` already.
    let known = this.lab.untold().filter(wanted).length;
    if (r.follow) client.journal = (line) => wanted(line) && --known < 0;
    return { lines };
  }

  /** What still computes ends. */
  end(): void {
    this.desk.close();
    this.runs.close();
  }
}
