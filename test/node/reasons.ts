/** A lab without a supervisor, as it is asked why: acting lines, lines typed at a prompt, time; and what is told of it, as text. */
import { SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { sceneOf as actSceneOf } from "../../src/main/lab/act/kind.ts";
import { readAct } from "../../src/main/lab/act/table.ts";
import type { LabSnapshot, Why } from "../../src/main/lab/api.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { ConfFindings } from "../../src/main/lab/view/problems.ts";
import { Timeline } from "../../src/main/lab/view/timeline.ts";
import { labSnapshot } from "../../src/main/lab/view/view.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";

export interface Shape {
  readonly nodes: number;
  readonly links?: number;
  readonly qdevice?: boolean;
  /** Lines of the quorum section. */
  readonly quorum?: { readonly [key: string]: number };
}

const findings = new ConfFindings();

/** What the page would be given of this world. */
export function snapshotOf(world: World, paused = false): LabSnapshot {
  const timeline = new Timeline();
  for (const status of world.statuses()) timeline.begin(world.now, status);
  return labSnapshot({
    lab: { dir: "/nowhere", name: "lab", seed: world.design.seed, host: "inprocess", version: "test" },
    time: { instant: world.now, epoch: "2026-01-01T00:00:00Z", speed: 1, paused, achieved: 1 },
    world,
    timeline,
    findings,
    broken: [],
    undo: null,
    motion: { onChange: false, slowSpeed: 0.01, eased: false, skipped: null },
  });
}

const formed = new Map<string, World>();

export class Person {
  constructor(readonly world: World) {}

  /** A cluster that has formed; each of one shape goes on from the same instant. */
  static of(shape: Shape): Person {
    const key = JSON.stringify(shape);
    let world = formed.get(key);
    if (world === undefined) {
      const { nodes, links = 1, qdevice = false, quorum } = shape;
      const file = defaultLabFile({ nodes, links, qdevice, clustered: true, name: "lab", seed: "7", epoch: "2026-01-01T00:00:00Z" });
      const cluster = quorum === undefined || !file.cluster ? file.cluster : { ...file.cluster, quorum };
      const lab = { ...file, ...(cluster === undefined ? {} : { cluster }) };
      world = new World(worldDesign(lab), makeMachine);
      const why = beginLab(world, lab);
      if (why !== undefined) throw new Error(why);
      formed.set(key, world);
    }
    return new Person(world.fork());
  }

  act(line: string): void {
    for (const act of readAct(line, actSceneOf(this.world)).acts) {
      const done = this.world.act(act);
      if (!done.ok) throw new Error(`${line}: ${done.message}`);
    }
  }

  wait(seconds: number): void {
    this.world.runUntil(this.world.now + seconds * SEC);
  }

  /** Until it holds, looking every 10 ms; throws where it does not within a minute. */
  until(holds: (world: World) => boolean): void {
    for (const limit = this.world.now + 60 * SEC; !holds(this.world); this.wait(0.01))
      if (this.world.now > limit) throw new Error("it never came");
  }

  write(node: string, path: string, text: string): void {
    this.world.act({ to: "machine", machine: node, act: { kind: "file-write", path, data: utf8(text), append: false } });
  }

  async type(node: string, line: string): Promise<void> {
    const port = new WorldPort(this.world, node);
    await runLine(port, line, { stdout: () => undefined, stderr: () => undefined });
    port.close();
  }

  tell(): string {
    return told(snapshotOf(this.world));
  }
}

const at = (instant: number): string => `${(instant / SEC).toFixed(3)} s`;

function toldWhy({ title, severity, clauses, nodes }: Why): string[] {
  return [
    `${severity}: ${title} [${nodes.join(" ")}]`,
    ...clauses.flatMap(({ role, text, refs, fix }) => {
      const what = fix === undefined ? text : "act" in fix ? `quorate ${fix.act}` : `${fix.node}$ ${fix.command}`;
      const from =
        role === "do"
          ? []
          : refs.map((ref) => `            ${ref.kind} ${at(ref.instant)}${ref.node === undefined ? "" : ` ${ref.node}`}: ${ref.what}`);
      return [`  ${role.padEnd(8)}${what}`, ...from];
    }),
  ];
}

/** Everything that is told of a state: its reasons, each clause with its entries of the record, and its problems. */
export function told({ why, problems }: Pick<LabSnapshot, "why" | "problems">): string {
  const lines = why.length === 0 ? ["all is well"] : why.flatMap(toldWhy);
  const listed = problems.map(
    ({ severity, code, text, count = 1, fix, line }) =>
      `  ${severity} ${code} ×${count}: ${text}${line === undefined ? "" : ` (line ${line})`}${fix === undefined ? "" : "act" in fix ? ` > ${fix.act}` : ` $ ${fix.command}`}`,
  );
  return [...lines, `problems: ${problems.length}`, ...listed].join("\n");
}
