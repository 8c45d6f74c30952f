/** Commands that make, start, freeze, delete and list labs, and open their page. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline/promises";
import type { LabInfo } from "../lab/api.ts";
import { wellFormed } from "../lab/process/message-check.ts";
import { connectLab, freezeLab, type LabClient } from "../lab/process/client.ts";
import { defaultLabFile } from "../lab/file/default-lab.ts";
import { readLabFile } from "../lab/file/labfile.ts";
import type { LabFile } from "../lab/file/labfile-schema.ts";
import { listedLabs } from "../lab/process/start/known-labs.ts";
import { launch } from "../lab/process/launch.ts";
import { createLab, holdsLab, isOwn, isRunning, labFileName } from "../lab/process/new-lab.ts";
import { holderRuns, readLock } from "../lab/store/lock.ts";
import { dropStaleSockets, labDir } from "../lab/store/paths.ts";
import { deleteSnapshots } from "../lab/store/named-snapshots.ts";
import { forgetLab, rememberLab } from "../lab/store/registry.ts";
import { notYet, systemTrouble, Trouble, usage } from "../lab/trouble.ts";
import { print, printJson, say, withProgress } from "./outcome.ts";
import { hostOf, releaseOf, speedOf, textOf, whole, type Values } from "./values.ts";

const creating = ["nodes", "links", "file", "import", "clustered", "qdevice", "seed", "release"];

function creatingOptions(v: Values): string[] {
  return creating.filter((name) => v[name] !== undefined).map((name) => `--${name}`);
}

function refuseLater(v: Values): void {
  const instead = "there are: --nodes --links --clustered --qdevice --file --import --release --seed --host --speed --cold --foreground";
  if (v["template"] !== undefined) throw notYet("up --template", instead);
  if (v["mgmt"] !== undefined) throw notYet("up --mgmt", instead);
  if (v["file"] !== undefined && v["import"] !== undefined) throw usage("up: --file and --import exclude each other");
  for (const source of ["file", "import"])
    for (const other of ["nodes", "links", "clustered", "qdevice"])
      if (v[source] !== undefined && v[other] !== undefined)
        throw usage(`up: --${source} says how many nodes and links there are; leave --${other} out`);
}

const newSeed = (): string => randomBytes(4).toString("hex");
const nowIso = (): string => new Date().toISOString().replace(/\.\d+Z$/, "Z");

/** The lab of the options; a release named there is that of all nodes that have none of their own. */
async function labFileFor(v: Values): Promise<LabFile> {
  const release = releaseOf(v["release"]);
  const lab = await namedLab(v);
  return release === undefined ? lab : { ...lab, release };
}

async function namedLab(v: Values): Promise<LabFile> {
  const seed = textOf(v["seed"]);
  const file = textOf(v["file"]);
  const conf = textOf(v["import"]);
  if (file === undefined && conf === undefined)
    return defaultLabFile({
      nodes: whole(v["nodes"], "--nodes", 1, 32) ?? 3,
      links: whole(v["links"], "--links", 1, 8) ?? 1,
      clustered: v["clustered"] === true,
      qdevice: v["qdevice"] === true,
      name: "lab",
      seed: seed ?? newSeed(),
      epoch: nowIso(),
    });
  const lab = file !== undefined ? readLabFile(file) : (await import("./files.ts")).importConfFile(conf ?? "");
  if (lab.load !== undefined)
    throw usage(`${file ?? ""}: load: is for scenarios, which "quorate run" runs; a lab has the load you put on it`);
  if (lab.steps.length > 0) say(`quorate: ${file}: the steps of a scenario are run by "quorate run"; the lab starts without them`);
  return { ...lab, steps: [], seed: seed ?? lab.seed ?? newSeed(), epoch: lab.epoch ?? nowIso() };
}

async function stateOf(client: LabClient): Promise<LabInfo> {
  return client.call({ op: "info" });
}

function printState(info: LabInfo, json: boolean): void {
  if (json) return printJson(info);
  const page = info.url === null ? "" : `, page ${info.url}`;
  const many = info.nodes.length === 1 ? "1 node" : `${info.nodes.length} nodes`;
  print(`${info.name}: running in ${info.lab}, ${many} (${info.nodes.join(" ")}), at ${(info.instant / 1e6).toFixed(3)} s${page}`);
}

export async function up(v: Values): Promise<number> {
  const dir = labDir(textOf(v["lab"]));
  const json = v["json"] === true;
  refuseLater(v);
  const speed = v["speed"] === undefined ? undefined : String(speedOf(String(v["speed"])));
  const host = hostOf(v["host"]);
  const options = creatingOptions(v);
  if (isRunning(dir)) {
    if (options.length > 0 || v["cold"] === true || host !== undefined)
      throw usage(`${dir} is busy: a lab runs there; "quorate down" freezes it, or name another directory with --lab`);
    const client = await connectLab(dir, wellFormed);
    if (speed !== undefined) await client.call({ op: "speed", speed: speedOf(speed) });
    printState(await stateOf(client), json);
    return 0;
  }
  const exists = holdsLab(dir);
  if (exists && options.length > 0)
    throw usage(
      `${dir} holds a lab already, and ${options.join(" ")} would make a new one; "quorate rm" deletes it, or name another directory with --lab`,
    );
  if (!exists) createLab(dir, await labFileFor(v));
  rememberLab(dir);
  const foreground = v["foreground"] === true;
  const started = await withProgress("starting the lab", launch({ dir, cold: v["cold"] === true, speed, host, foreground })).catch(
    (error: unknown) => {
      // A lab that never ran is not left lying about.
      if (!exists && !existsSync(join(dir, "record.jsonl"))) rmSync(join(dir, labFileName), { force: true });
      throw error;
    },
  );
  if (started.said !== undefined) say(`quorate: ${started.said}`);
  printState(started.info, json);
  if (!foreground) return started.formed ? 0 : 1;
  // The terminal's Ctrl-C reaches the supervisor too; it freezes the lab and ends, and so do we.
  process.on("SIGINT", () => undefined);
  return started.ended;
}

export async function down(v: Values): Promise<number> {
  const dir = labDir(textOf(v["lab"]));
  const client = await connectLab(dir, wellFormed);
  const lock = readLock(dir);
  await withProgress("freezing the lab", freezeLab(client));
  // The reply comes when the state is on disk; the process ends right after.
  for (let i = 0; i < 200 && lock !== undefined && holderRuns(lock); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  return 0;
}

export async function rm(v: Values): Promise<number> {
  const dir = labDir(textOf(v["lab"]));
  if (!holdsLab(dir)) {
    forgetLab(dir);
    throw new Trouble("lab", `no lab in ${dir}`);
  }
  if (v["yes"] !== true) {
    if (!process.stdin.isTTY) throw usage(`rm deletes ${dir}; say --yes`);
    const ask = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await ask.question(`delete the lab in ${dir}? [y/N] `);
    ask.close();
    if (!/^y(es)?$/i.test(answer.trim())) return 1;
  }
  if (isRunning(dir)) await down(v);
  try {
    dropStaleSockets(dir, undefined);
    for (const name of readdirSync(dir)) if (isOwn(name)) rmSync(join(dir, name), { force: true, recursive: true });
    deleteSnapshots(dir);
    if (readdirSync(dir).length === 0) rmSync(dir, { recursive: true });
    else say(`quorate: ${dir} holds other files; they stay`);
  } catch (error) {
    throw systemTrouble(error, `delete ${dir}`);
  }
  forgetLab(dir);
  return 0;
}

export async function ls(v: Values): Promise<number> {
  const labs = await listedLabs();
  if (v["json"] === true) printJson(labs);
  else if (labs.length === 0) say('quorate: no labs; "quorate up" makes one');
  else
    for (const lab of labs) print(`${lab.running ? "running" : "frozen "}  ${lab.lab}  ${basename(lab.name)}  ${lab.nodes.length} nodes`);
  return 0;
}

export function where(v: Values): Promise<number> {
  print(labDir(textOf(v["lab"])));
  return Promise.resolve(0);
}

export async function serve(v: Values): Promise<number> {
  const dir = labDir(textOf(v["lab"]));
  const port = whole(v["port"], "--port", 1, 65_535);
  if (!isRunning(dir)) {
    const status = await startQuietly(dir);
    if (status !== 0) return status;
  }
  const client = await connectLab(dir, wellFormed);
  const { url, opening, note } = await client.call({ op: "serve", ...(port === undefined ? {} : { port }) });
  if (note !== "") say(`quorate: ${note}`);
  print(url);
  if (v["open"] === true) await (await import("./browser.ts")).openBrowser(opening);
  return 0;
}

/** serve and app start the lab of the directory; a new one is three nodes in a cluster, so that there is something to see. */
async function startQuietly(dir: string): Promise<number> {
  if (!holdsLab(dir)) createLab(dir, await labFileFor({ clustered: true }));
  rememberLab(dir);
  const started = await withProgress("starting the lab", launch({ dir, cold: false, speed: undefined, foreground: false }));
  if (started.said !== undefined) say(`quorate: ${started.said}`);
  return 0;
}

export async function app(v: Values): Promise<number> {
  const dir = labDir(textOf(v["lab"]));
  return (await import("./browser.ts")).openApp(dir);
}
