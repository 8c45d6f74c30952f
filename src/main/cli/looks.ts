/** Commands that look at a running lab, as it is and as it was: status, seek, wait, log, record. */
import type { JournalLine, LabStatus, MachineView } from "../lab/api.ts";
import { wellFormed } from "../lab/process/message-check.ts";
import { connectLab, type LabClient } from "../lab/process/client.ts";
import { threeUnitStates } from "../lab/view/conditions.ts";
import { dateOf, parseInstant } from "../lab/instant.ts";
import { labDir } from "../lab/store/paths.ts";
import { writeAtomic } from "../lab/store/atomic-files.ts";
import { Trouble, usage } from "../lab/trouble.ts";
import { mainUnit } from "../lab/api.ts";
import { print, printJson, say, withProgress } from "./outcome.ts";
import { textOf, whole, type Values } from "./values.ts";

function connect(v: Values): Promise<LabClient> {
  return connectLab(labDir(textOf(v["lab"])), wellFormed);
}

function nodeRow(node: MachineView): string[] {
  const power = node.booting ? "booting" : node.power;
  const c = node.corosync;
  const q = node.quorum;
  const unit = node.kind === "qnetd" ? "-" : (mainUnit(node.units)?.state ?? "inactive");
  return [
    node.name,
    power,
    unit,
    c ? c.state : "-",
    c ? c.ringId : "-",
    c ? c.members.join(",") : "-",
    q ? `${q.totalVotes}/${q.expectedVotes}, need ${q.quorum}` : "-",
    q ? (q.quorate ? "quorate" : "not quorate") : "-",
  ];
}

/** What a host of the quorum device knows, a line for each cluster. */
function deviceLines(node: MachineView): string[] {
  if (node.kind !== "qnetd") return [];
  const server = mainUnit(node.units);
  const unit = `${node.name}: ${server?.name ?? "qnetd"} ${server?.state ?? "inactive"}`;
  if (node.qnetd === null) return [unit];
  const ids = (list: readonly number[]): string => (list.length === 0 ? "none" : list.join(","));
  const clusters = node.qnetd.clusters.map(
    ({ name, algorithm, clients, holders }) =>
      `${unit}, cluster ${name} (${algorithm}): clients ${ids(clients.map((c) => c.nodeId))}, vote with ${ids(holders)}`,
  );
  return clusters.length === 0 ? [`${unit}, no clients`] : clusters;
}

function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function printStatus(status: LabStatus): void {
  print(table([["NODE", "POWER", "COROSYNC", "STATE", "RING", "MEMBERS", "VOTES", "QUORUM"], ...status.nodes.map(nodeRow)]));
  for (const line of status.nodes.flatMap(deviceLines)) print(line);
  for (const f of status.faults) {
    const { kind, ...rest } = f;
    const details = Object.entries(rest).map(
      ([key, value]) => `${key} ${Array.isArray(value) ? value.map((g) => g.join(",")).join(" | ") : value}`,
    );
    print(`fault: ${kind} ${details.join(", ")}`);
  }
}

export async function status(node: string | undefined, v: Values): Promise<number> {
  const found = await (await connect(v)).call({ op: "status", ...(node === undefined ? {} : { node }) });
  showStatus(found, v);
  return 0;
}

function showStatus(found: LabStatus, v: Values): void {
  if (v["json"] === true) printJson({ ...found, nodes: found.nodes.map(threeUnitStates) });
  else printStatus(found);
}

/** The status as it was at an instant. The lab goes on meanwhile, unless --pause. */
export async function seek(text: string, v: Values): Promise<number> {
  const client = await connect(v);
  const instant = parseInstant(text, Date.parse((await client.call({ op: "time" })).epoch) * 1000, "seek");
  const found = await withProgress("going back", client.call({ op: "seek", instant, pause: v["pause"] === true }));
  showStatus(found.status, v);
  return 0;
}

export async function wait(v: Values): Promise<number> {
  const members = whole(v["members"], "--members", 0, 384);
  const timeout = textOf(v["timeout"]) ?? "60";
  if (!/^\d+(\.\d+)?$/.test(timeout)) throw usage(`--timeout ${JSON.stringify(timeout)}: virtual seconds`);
  if (v["quorate"] === true && v["notQuorate"] === true) throw usage("wait: --quorate and --not-quorate exclude each other");
  const quorate = v["quorate"] === true ? true : v["notQuorate"] === true ? false : undefined;
  if (quorate === undefined && members === undefined && v["synced"] !== true && v["idle"] !== true)
    throw usage("wait: for what? There are: --quorate --not-quorate --members N --synced --idle");
  const nodes = Array.isArray(v["node"]) ? v["node"].map(String) : [];
  const what = {
    nodes,
    timeout: Math.round(Number(timeout) * 1e6),
    ...(quorate === undefined ? {} : { quorate }),
    ...(members === undefined ? {} : { members }),
    ...(v["synced"] === true ? { synced: true } : {}),
    ...(v["idle"] === true ? { idle: true } : {}),
  };
  const client = await connect(v);
  const { held, why } = await withProgress("waiting", client.call({ op: "wait", what }));
  if (!held) throw new Trouble("failed", why);
  return 0;
}

function journalText(line: JournalLine, epochUnix: number): string {
  const who = `${line.node} ${line.unit}${line.pid > 0 ? `[${line.pid}]` : ""}`;
  const subsystem = line.subsystem === "" ? "" : `[${line.subsystem.padEnd(6)}] `;
  return `${dateOf(line.instant, epochUnix)} ${who}: ${line.level.padEnd(7)} ${subsystem}${line.text}`;
}

export async function log(node: string | undefined, v: Values): Promise<number> {
  const client = await connect(v);
  const { epoch } = await client.call({ op: "time" });
  const epochUnix = Date.parse(epoch) * 1000;
  const since = textOf(v["since"]);
  const unit = textOf(v["unit"])?.replace(/\.service$/, "");
  const follow = v["follow"] === true;
  const show = (lines: readonly JournalLine[]): void => {
    for (const line of lines) print(v["json"] === true ? JSON.stringify(line) : journalText(line, epochUnix));
  };
  const wanted = (line: JournalLine): boolean => (node === undefined || line.node === node) && (unit === undefined || line.unit === unit);
  let shown = false;
  const early: JournalLine[] = [];
  client.onEvent((event) => {
    if (event.event !== "journal") return;
    if (shown) show(event.lines.filter(wanted));
    else early.push(...event.lines.filter(wanted));
  });
  const filter = {
    ...(node === undefined ? {} : { node }),
    ...(unit === undefined ? {} : { unit }),
    ...(since === undefined ? {} : { since: parseInstant(since, epochUnix, "--since") }),
  };
  const { lines } = await client.call({ op: "log", ...filter, follow });
  show(lines);
  shown = true;
  show(early);
  if (!follow) return 0;
  const reason = await Promise.race([client.closed, new Promise<undefined>((resolve) => process.once("SIGINT", () => resolve(undefined)))]);
  if (reason !== undefined) say(`quorate: ${reason}`);
  return reason === undefined ? 130 : 1;
}

export async function record(v: Values): Promise<number> {
  const { text } = await (await connect(v)).call({ op: "record" });
  const out = textOf(v["out"]);
  if (out === undefined) print(text);
  else writeAtomic(out, text);
  return 0;
}
