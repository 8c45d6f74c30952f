/**
 * What-if in a running lab: the design as it stands on the nodes' disks, asked about in a worker thread, so that the lab's own time goes on. One question
 * at a time; a later one supersedes it, and none takes longer than a minute.
 */
import type { Worker } from "node:worker_threads";
import { CONF_PATH, HOSTS_PATH, KEYFILE_DEFAULT, parseConf, stringOf } from "../../../engine/config/index.ts";
import { fromUtf8, utf8 } from "../../../engine/kernel/bytes.ts";
import type { World, WorldDesign } from "../../../engine/world/index.ts";
import type { Variation, WhatIfReply } from "../api.ts";
import { entry } from "../process/entries.ts";
import { openThread } from "../process/thread.ts";
import { Trouble } from "../trouble.ts";
import { variedConf } from "./conf-variant.ts";
import type { WhatIfOutcome, WhatIfTask } from "./whatif-task.ts";

const answerMaxMs = 60_000;
/** What a start of the daemon reads. */
const PATHS = [CONF_PATH, KEYFILE_DEFAULT, HOSTS_PATH];

/** Those, and the key where the machine's own file says it is. */
function pathsOf(world: Pick<World, "query">, machine: string): string[] {
  const reply = world.query(machine, { kind: "file-read", path: CONF_PATH });
  const keyfile = reply.kind === "file" ? stringOf(parseConf(fromUtf8(reply.data)).values, "totem.keyfile") : undefined;
  return keyfile === undefined || PATHS.includes(keyfile) ? PATHS : [...PATHS, keyfile];
}

/** The design of a running lab, with the files that are on the disks now. */
export function designNow(world: Pick<World, "design" | "query">): WorldDesign {
  const machines = world.design.machines.map((machine) => {
    const files = pathsOf(world, machine.name).flatMap((path) => {
      const reply = world.query(machine.name, { kind: "file-read", path });
      return reply.kind === "file" ? [{ path, data: reply.data }] : [];
    });
    return { ...machine, files };
  });
  return { ...world.design, machines, faults: [] };
}

/** The qnetd host a variation asks for where the lab has none: .100 on its first network. */
function witness(world: WorldDesign): WorldDesign["machines"][number] | undefined {
  const net = world.networks[0];
  const pattern = world.machines.find((m) => m.kind === "node");
  if (net === undefined || pattern === undefined) return undefined;
  const address = net.cidr.replace(/\/\d+$/, "").replace(/\d+$/, "100");
  const nics = [{ name: "eno1", net: net.name, address, prefix: Number(net.cidr.split("/")[1] ?? 24) }];
  return { ...pattern, kind: "qnetd", name: "qnetd", hostname: "qnetd", nics, files: [] };
}

export function variedDesign(world: WorldDesign, variation: Variation): WorldDesign {
  const made = variation.qdevice === "ffsplit" || variation.qdevice === "lms" ? witness(world) : undefined;
  const host = world.machines.find((m) => m.kind === "qnetd") ?? made;
  const address = host?.nics[0]?.address ?? "";
  const machines = world.machines.map((machine) => ({
    ...machine,
    files: machine.files.map((file) =>
      file.path === CONF_PATH ? { ...file, data: utf8(variedConf(fromUtf8(file.data), variation, address)) } : file,
    ),
  }));
  return { ...world, machines: host === made && made !== undefined ? [...machines, made] : machines };
}

export class WhatIfDesk {
  private end: ((why: Trouble) => void) | undefined;

  /** Answers for the world as it stands, and as it would be with `variation`. Throws Trouble where there is no question, or a later one came. */
  async ask(world: Pick<World, "design" | "query">, variation: Variation | undefined): Promise<WhatIfReply> {
    this.end?.(new Trouble("failed", "superseded by a later question"));
    const now = designNow(world);
    const outcome = await this.run({ now, varied: variation === undefined ? undefined : variedDesign(now, variation) });
    if (outcome.ok) return outcome.reply;
    throw new Trouble("failed", outcome.varied ? `as varied: ${outcome.why}` : outcome.why);
  }

  private run(task: WhatIfTask): Promise<WhatIfOutcome> {
    const worker: Worker = openThread(entry("whatif-worker").file);
    return new Promise<WhatIfOutcome>((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        if (this.end === end) this.end = undefined;
        void worker.terminate();
      };
      const end = (why: Trouble): void => {
        over();
        reject(why);
      };
      const timer = setTimeout(() => end(new Trouble("failed", `not answered within ${answerMaxMs / 1000} s`)), answerMaxMs);
      this.end = end;
      worker.once("message", (outcome: WhatIfOutcome) => {
        over();
        resolve(outcome);
      });
      worker.once("error", (error) =>
        end(new Trouble("failed", `what-if failed: ${error instanceof Error ? error.message : String(error)}`)),
      );
      worker.postMessage(task);
    });
  }

  close(): void {
    this.end?.(new Trouble("lab", "the lab is closing"));
  }
}
