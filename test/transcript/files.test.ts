/**
 * The files of one machine told as transcripts: each file under files/ is read from top to bottom; a line is a process's call or something that happens to the machine, what
 * follows `----` up to the next empty line is what came of it, in the manner of strace. `QUORATE_REWRITE=1` writes the files anew, for a person to read the difference.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  fromUtf8,
  utf8,
  type Commit,
  type DiskFault,
  type FileCall,
  type FileReply,
  type OpenFlags,
} from "../../src/engine/kernel/index.ts";
import { LabFiles } from "../machine/lab-files.ts";
import { TinyServer } from "../machine/tiny-server.ts";

const DIR = new URL("./files/", import.meta.url);

function flagsOf(parts: readonly string[]): OpenFlags {
  const access = parts.find((w) => w === "r" || w === "w" || w === "rw") ?? "r";
  return { access, ...Object.fromEntries(parts.filter((w) => w !== access).map((w) => [w, true])) } as OpenFlags;
}

/** `open /a rw create` and the like as calls; numbers in octal where they are modes. */
function callOf(verb: string, args: readonly string[]): FileCall {
  const [a = "", b = "", c = ""] = args;
  switch (verb) {
    case "open":
      return { call: "open", path: a, flags: flagsOf(args.slice(1)), mode: 0o644 };
    case "read":
      return { call: "read", fd: Number(a), length: Number(b), ...(c === "" ? {} : { at: Number(c) }) };
    case "write":
      return { call: "write", fd: Number(a), data: utf8(args.slice(1).join(" ")) };
    case "close":
    case "dup":
    case "fstat":
    case "fsync":
      return { call: verb, fd: Number(a) };
    case "ftruncate":
      return { call: verb, fd: Number(a), length: Number(b) };
    case "lseek":
      return { call: verb, fd: Number(a), offset: Number(b), whence: c as "set" };
    case "mkdir":
      return { call: verb, path: a, mode: b === "" ? 0o755 : parseInt(b, 8) };
    case "chmod":
      return { call: verb, path: b, mode: parseInt(a, 8) };
    case "chown":
      return { call: verb, path: c, uid: Number(a), gid: Number(b) };
    case "rename":
    case "link":
      return { call: verb, from: a, to: b };
    case "symlink":
      return { call: verb, target: a, path: b };
    case "mount":
      return { call: verb, path: a, type: "tmpfs", source: "tmpfs", bytes: Number(b) };
    case "remount":
      return { call: verb, path: a, readOnly: b === "ro" };
    case "umount":
      return { call: verb, path: a, lazy: b === "lazy" };
    case "serve":
      return { call: verb, path: a, source: "/dev/fuse", options: "" };
    case "getcwd":
      return { call: verb };
    default:
      return { call: verb as "stat", path: a };
  }
}

function told(reply: FileReply): string {
  if (!reply.ok) return `-1 ${reply.errno}`;
  switch (reply.value) {
    case "done":
      return "0";
    case "stat": {
      const { type, mode, nlink, uid, gid, size } = reply.stat;
      return `${type} ${mode.toString(8).padStart(4, "0")} links ${nlink} owner ${uid}:${gid} size ${size}`;
    }
    case "entries":
      return reply.entries.length === 0 ? "(empty)" : reply.entries.map((e) => e.name).join("  ");
    case "path":
      return reply.path;
    case "fd":
      return String(reply.fd);
    case "data":
      return JSON.stringify(fromUtf8(reply.data));
    case "count":
      return String(reply.count);
    case "statfs": {
      const { type, mountPoint, blocks, free, readOnly } = reply.statfs;
      return `${type} on ${mountPoint}, ${free} of ${blocks} blocks free${readOnly ? ", read-only" : ""}`;
    }
  }
}

function rowsOf({ seq, rows, chunks }: Commit): string {
  const parts = rows.map((r) => {
    if (r.row === "entry") return `entry ${r.dir}/${r.name} ${r.ino === undefined ? "gone" : `→ ${r.ino}`}`;
    return r.inode === undefined ? `inode ${r.ino} gone` : `inode ${r.ino} ${r.inode.type} ${r.inode.size} bytes`;
  });
  return `commit ${seq}: ${parts.join(", ")}${chunks.length === 0 ? "" : ` (${chunks.length} new piece${chunks.length === 1 ? "" : "s"})`}`;
}

class Teller {
  private readonly lab = new LabFiles();
  private readonly pids = new Map<string, number>();
  private readonly server = new TinyServer().put("/nodes", "directory").put("/nodes/a", "file", "one").put("/local", "symlink", "nodes");
  private stopped = false;
  private readonly waiting = new Map<number, string>();
  private committed = this.lab.commits.length;

  run(line: string): string[] {
    const [who = "", verb = "", ...args] = line.split(" ");
    const happened = this.machine(who, verb, args);
    if (happened !== undefined) return happened;
    const pid = this.pids.get(who);
    if (pid === undefined) throw new Error(`no such transcript command: ${line}`);
    if (verb === "exits") return [`${who} exits`, ...this.resumed(this.lab.files.detach(pid))];
    const made = this.lab.files.call(pid, callOf(verb, args));
    if ("done" in made) return [`${line} = ${told(made.done)}`, ...this.serve()];
    this.waiting.set(made.pending, line);
    const out = this.serve();
    return this.waiting.has(made.pending) ? [`${line} …`, ...out] : out;
  }

  /** What happens to the machine rather than in a process. */
  private machine(what: string, verb: string, args: readonly string[]): string[] | undefined {
    switch (what) {
      case "process": {
        const pid = 700 + this.pids.size;
        this.pids.set(verb, pid);
        this.lab.files.attach(pid, this.pids.get(args[0] ?? ""));
        return [];
      }
      case "server":
        this.stopped = verb === "stops";
        return this.serve();
      case "interrupt": {
        const [id] = [...this.waiting].find(([, line]) => line.startsWith(`${verb} `)) ?? [0];
        const resumed = this.lab.files.interrupt(id);
        return this.resumed(resumed === undefined ? [] : [resumed]);
      }
      case "disk":
        this.lab.files.setDisk(verb as DiskFault, 0);
        return [];
      case "power":
        this.lab.files.powerLost();
        this.pids.clear();
        return [];
      case "commits": {
        const since = this.lab.commits.slice(this.committed);
        this.committed = this.lab.commits.length;
        return since.map(rowsOf);
      }
      default:
        return undefined;
    }
  }

  private serve(): string[] {
    const out: string[] = [];
    while (!this.stopped) {
      const request = this.lab.requests.shift();
      if (request === undefined) break;
      const { op } = request.request;
      const path = "path" in request.request ? request.request.path : `${request.request.from} ${request.request.to}`;
      out.push(`    asked: ${op} ${path}`, ...this.resumed(this.lab.files.served(request.id, this.server.answer(request.request))));
    }
    return out;
  }

  private resumed(list: readonly { readonly id: number; readonly reply: FileReply }[]): string[] {
    return list.map(({ id, reply }) => {
      const line = this.waiting.get(id) ?? "";
      this.waiting.delete(id);
      return `${line} = ${told(reply)}`;
    });
  }
}

function retold(text: string): string {
  const teller = new Teller();
  const paragraphs = text.trimEnd().split("\n\n");
  return `${paragraphs
    .map((paragraph) => {
      const lines = paragraph.split("\n");
      const end = lines.indexOf("----");
      const commands = end < 0 ? lines : lines.slice(0, end);
      const output = commands.filter((l) => !l.startsWith("#")).flatMap((l) => teller.run(l));
      return [...commands, "----", ...output].join("\n");
    })
    .join("\n\n")}\n`;
}

const names = readdirSync(DIR).sort();

test("there are transcripts", () => expect(names.length).toBeGreaterThanOrEqual(4));

test.each(names)("%s", (name) => {
  const file = new URL(name, DIR);
  const text = readFileSync(file, "utf8");
  const now = retold(text);
  if (process.env["QUORATE_REWRITE"] === "1") writeFileSync(file, now);
  else expect(now).toBe(text);
});
