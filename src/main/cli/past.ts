/** Commands that keep an instant of a lab, go back to it, or make a lab of its own from it. */
import { resolve } from "node:path";
import type { NamedSnapshot } from "../lab/api.ts";
import { wellFormed } from "../lab/process/message-check.ts";
import { connectLab, type LabClient } from "../lab/process/client.ts";
import { parseInstant } from "../lab/instant.ts";
import { labDir } from "../lab/store/paths.ts";
import { usage } from "../lab/trouble.ts";
import { print, printJson, say, withProgress } from "./outcome.ts";
import { textOf, type Values } from "./values.ts";

function connect(v: Values): Promise<LabClient> {
  return connectLab(labDir(textOf(v["lab"])), wellFormed);
}

const seconds = (instant: number): string => `${(instant / 1e6).toFixed(6)} s`;

export async function fork(v: Values): Promise<number> {
  const client = await connect(v);
  const dir = resolve(textOf(v["out"]) ?? "");
  const text = textOf(v["at"]);
  const at = text === undefined ? undefined : parseInstant(text, Date.parse((await client.call({ op: "time" })).epoch) * 1000, "--at");
  const made = await withProgress("forking the lab", client.call({ op: "fork", dir, ...(at === undefined ? {} : { at }) }));
  if (v["json"] === true) printJson({ lab: made.dir, instant: made.instant });
  else print(`${made.dir}: frozen at ${seconds(made.instant)}; "quorate up --lab ${made.dir}" goes on from there`);
  return 0;
}

function show(snapshot: NamedSnapshot, v: Values): void {
  if (v["json"] === true) printJson(snapshot);
  else print(`${snapshot.name}  ${seconds(snapshot.instant)}`);
}

/** Keeps one under a name; without a name lists them; --delete deletes one. */
export async function snapshot(name: string | undefined, v: Values): Promise<number> {
  if (name === undefined && v["delete"] === true) throw usage("snapshot --delete: which one? Its name is needed");
  const client = await connect(v);
  if (name !== undefined && v["delete"] === true) await client.call({ op: "snapshot-delete", name });
  else if (name !== undefined) show(await client.call({ op: "snapshot-save", name }), v);
  else {
    const { snapshots } = await client.call({ op: "snapshots" });
    if (v["json"] === true) printJson(snapshots);
    else if (snapshots.length === 0) say('quorate: no snapshots; "quorate snapshot NAME" keeps one');
    else for (const one of snapshots) show(one, v);
  }
  return 0;
}

export async function rollback(name: string, v: Values): Promise<number> {
  show(await (await connect(v)).call({ op: "rollback", name }), v);
  return 0;
}
