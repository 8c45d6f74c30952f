/**
 * What the recorder wrote into /etc/corosync/corosync.conf of which machine in the course of a scenario, as the titles of the steps say it. The text is that of
 * the recording's own file, with the version the tools show afterwards.
 */

import type { RecordedStep } from "./recording.ts";

/** A step's edits are made at its begin, or at `at` (seconds of the scenario) where the title names something that comes before. */
export interface Edit {
  readonly at?: number;
  readonly nodes: readonly string[];
  readonly text: string;
}

interface Shape {
  readonly version: number;
  /** quorum_votes by node; those listed are the nodelist. */
  readonly votes: readonly number[];
  readonly token?: number;
}

/** The recording's file with another nodelist and version. */
function written(config: string, shape: Shape): string {
  const nodes = shape.votes.map(
    (votes, i) =>
      `  node {\n    name: node${i + 1}\n    nodeid: ${i + 1}\n    quorum_votes: ${votes}\n    ring0_addr: 10.10.0.${i + 1}\n  }\n`,
  );
  const list = config.replace(/nodelist \{\n[\s\S]*?\n\}\n/, `nodelist {\n${nodes.join("")}}\n`);
  const token = shape.token === undefined ? "" : `  token: ${shape.token}\n`;
  return list.replace(/config_version: \d+\n/, `config_version: ${shape.version}\n`).replace(/ {2}version: 2\n/, `${token}  version: 2\n`);
}

/** A file whose third line is neither section nor key. */
function broken(config: string): string {
  const lines = config.split("\n");
  lines.splice(2, 0, "this is no line of a configuration");
  return lines.join("\n");
}

const ALL = ["node1", "node2", "node3"];

function reloads(config: string, { step, commands }: RecordedStep): Edit[] {
  const file = (shape: Shape, nodes: readonly string[] = ALL): Edit => ({ nodes, text: written(config, shape) });
  switch (step) {
    case 2:
      return [file({ version: 2, votes: [1, 1] })];
    case 3:
      return [file({ version: 3, votes: [1, 2] })];
    case 4:
      return [file({ version: 4, votes: [1, 1, 1] })];
    case 6:
      return [file({ version: 5, votes: [1, 1, 1], token: 5000 })];
    case 8:
      return [file({ version: 6, votes: [1, 1, 1], token: 5000 }, ["node1"])];
    case 9:
      return [file({ version: 6, votes: [1, 1, 1], token: 5000 })];
    case 10:
      return [{ ...file({ version: 7, votes: [1, 1], token: 5000 }), at: (commands[0]?.t ?? 0) - 0.01 }];
    case 11:
      return [{ nodes: ["node1"], text: broken(config) }];
    case 12:
      return [file({ version: 7, votes: [1, 1], token: 5000 }, ["node1"]), { nodes: ["node2"], text: broken(config) }];
    case 13:
      return [file({ version: 1, votes: [1, 1], token: 5000 })];
    default:
      return [];
  }
}

function versions(config: string, step: number): Edit[] {
  const file = (version: number, nodes: readonly string[]): Edit => ({ nodes, text: written(config, { version, votes: [1, 1, 1] }) });
  if (step === 1) return [file(2, ["node1", "node2"])];
  if (step === 2) return [file(1, ["node3"])];
  return step === 3 ? [file(3, ["node3"])] : [];
}

/** The quorum device comes with the second step and goes with the last, after its daemons. */
function device(config: string, step: number): Edit[] {
  const without = config.replace(/ {2}device \{[\s\S]*?\n {2}\}\n/, "");
  const file = (text: string, version: number): Edit => ({
    nodes: ["node1", "node2"],
    text: text.replace(/config_version: \d+\n/, `config_version: ${version}\n`),
  });
  if (step === 1) return [file(without, 1)];
  if (step === 2) return [file(config, 2)];
  return step === 4 ? [file(without, 3)] : [];
}

export function editsOf(scenario: string, config: string, step: RecordedStep): Edit[] {
  if (scenario === "reload-config") return reloads(config, step);
  if (scenario === "qdevice-add-online") return device(config, step.step);
  return scenario === "config-version-mismatch" ? versions(config, step.step) : [];
}
