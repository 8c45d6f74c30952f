/** Another lab beside the one that is asked: made or found, started as `quorate up` does, and its page served, so that whoever asked can go there. */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Reply, Request } from "../api.ts";
import { defaultLabFile } from "../file/default-lab.ts";
import { importedLab } from "../file/import.ts";
import type { LabFile } from "../file/labfile-schema.ts";
import { stateDir } from "../store/paths.ts";
import { knownLabs, rememberLab } from "../store/registry.ts";
import { Trouble, usage } from "../trouble.ts";
import { connectLab } from "./client.ts";
import { launch } from "./launch.ts";
import { wellFormed } from "./message-check.ts";
import { createLab, holdsLab, isRunning, labFileName } from "./new-lab.ts";

type What = Extract<Request, { op: "lab-open" }>["what"];

/** Directories of one name that are looked at. */
const NAMES_MAX = 1000;
/** A new lab goes on now, at the host's date. */
const nowIso = (): string => new Date().toISOString().replace(/\.\d+Z$/, "Z");

export class OtherLabs {
  private opening = false;

  /** Opens one at a time. Throws Trouble. */
  async open(what: What): Promise<Reply<"lab-open">> {
    if (this.opening) throw new Trouble("failed", "another lab is being opened; wait until it is");
    this.opening = true;
    try {
      const dir = what.kind === "known" ? knownDir(what.dir) : newDir(labFileOf(what));
      await begin(dir, what.kind !== "known");
      const client = await connectLab(dir, wellFormed);
      try {
        const { name } = await client.call({ op: "info" });
        const { opening } = await client.call({ op: "serve" });
        return { dir, name, url: opening };
      } finally {
        client.close();
      }
    } finally {
      this.opening = false;
    }
  }
}

function labFileOf(what: Exclude<What, { kind: "known" }>): LabFile {
  const seed = randomBytes(4).toString("hex");
  if (what.kind === "import") return { ...importedLab(what.text, what.name), seed, epoch: nowIso() };
  const { nodes, networks, clustered, qdevice, name } = what;
  return defaultLabFile({ nodes, links: networks, clustered, qdevice, name: name ?? "lab", seed, epoch: nowIso() });
}

/** Only what the person has on the list of labs: a page names no other directories. */
function knownDir(dir: string): string {
  if (!knownLabs().includes(dir) || !holdsLab(dir)) throw usage(`${JSON.stringify(dir)} is none of the labs that "quorate ls" lists`);
  return dir;
}

/** A free directory in the per-user state folder, called after the lab, with the lab file in it. */
function newDir(lab: LabFile): string {
  const clean = lab.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  const base = join(stateDir(), `lab-${clean === "" || clean === "lab" ? "new" : clean}`);
  for (let n = 1; n <= NAMES_MAX; n++) {
    const dir = n === 1 ? base : `${base}-${n}`;
    if (existsSync(dir)) continue;
    createLab(dir, lab);
    return dir;
  }
  throw new Trouble("failed", `${base} and ${NAMES_MAX - 1} more of its name exist; delete some with "quorate rm"`);
}

async function begin(dir: string, made: boolean): Promise<void> {
  rememberLab(dir);
  if (isRunning(dir)) return;
  try {
    await launch({ dir, cold: false, speed: undefined, foreground: false });
  } catch (error) {
    // A lab that never ran is not left lying about.
    if (made && !existsSync(join(dir, "record.jsonl"))) rmSync(join(dir, labFileName), { force: true });
    throw error;
  }
}
