/** Every call of the recordings of a node by itself (01: files, 02: guests and counters, 03: locks), made on a mounted /etc/pve: each comes to what it came to on the real one. */
import { describe, expect, test } from "vitest";
import { SEC, utf8, type FileReply } from "../../src/engine/kernel/index.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { Recorder, outcomeOf } from "./calls.ts";
import { Memdb } from "../../src/engine/pmxcfs/memdb.ts";
import { EPOCH_SECONDS, LocalNode, Rows } from "./lab.ts";

skipLine("pmxcfs: recorded file calls");

/** Steps that the lab has no call for, or that show the real computer's caches; each has to be in the recording. */
const LEFT_OUT = new Map([
  ["mkfifo f", "no such call in the lab"],
  ["setxattr user.x", "no such call in the lab"],
  ["listxattr", "no such call in the lab"],
  ["flock+fcntl lock a.txt", "no such call in the lab"],
  ["create invalid utf-8 name", "names in the lab are text"],
  ["listdir has it", "names in the lab are text"],
  ["unlink it", "names in the lab are text"],
]);

const P = "/etc/pve/";
const W = { access: "w", create: true, truncate: true } as const;
const unixAt = (seconds: number): number => (seconds - EPOCH_SECONDS) * SEC;

type Step = (r: Recorder, m: readonly string[]) => string | undefined | void;

const path = (name = ""): string => P + name;
const put = (r: Recorder, name: string, text: string): string => r.write(path(name), text, W);

/** What the recorder's program did, by its label. */
const STEPS: readonly (readonly [RegExp, Step])[] = [
  [/^lstat \/etc\/pve\/(\S*)$/, (r, [, name]) => r.lstat(path(name).replace(/\/$/, ""), EPOCH_SECONDS)],
  [/^(?:nested .*)$/, (r) => nested(r)],
  [/^mkdir nodes\/not_a_name \+ qemu-server$/, (r) => makeAll(r, ["nodes/not_a_name", "nodes/not_a_name/qemu-server"])],
  [/^mkdir (nodes\/pve1\/qemu-server\/300\.conf|[^ ]+)(?: .*)?$/, (r, [, name]) => void r.ask({ call: "mkdir", path: path(name) })],
  [/^rmdir it$/, (r) => void r.ask({ call: "rmdir", path: path("nodes/pve1/qemu-server/300.conf") })],
  [/^open\(O_CREAT\|O_WRONLY\|O_TRUNC,0777\) (\S+) write 6$/, (r, [, name = ""]) => put(r, name, "hello\n")],
  [/^append a\.txt/, (r) => r.write(path("a.txt"), "world\n", { access: "w", append: true })],
  [/^pwrite a\.txt 2 bytes at offset 1/, (r) => r.write(path("a.txt"), "EL", { access: "w" }, 1)],
  [/^pwrite a\.txt 1 byte at offset 20/, (r) => r.write(path("a.txt"), "X", { access: "w" }, 20)],
  [/^pwrite on empty file at offset 4/, (r) => r.write(path("a.txt"), "Z", { access: "w" }, 4)],
  [/^truncate a\.txt (?:up )?to (\d+)/, (r, [, n]) => void r.ask({ call: "truncate", path: path("a.txt"), length: Number(n) })],
  [/^truncate (big2?) to (1 MiB \+ 1|2 MiB)/, (r, [, f, n]) => cut(r, f ?? "", n === "2 MiB" ? 2_097_152 : 1_048_577)],
  [/^open O_CREAT\|O_EXCL existing/, (r) => void r.open(path("a.txt"), { access: "w", create: true, exclusive: true })],
  [/^open missing file/, (r) => void r.open(path("missing"), { access: "r" })],
  [/^open\(O_CREAT\) in missing dir/, (r) => put(r, "nodir/x", "x")],
  [/^open\(O_CREAT\) below a file/, (r) => put(r, "a.txt/x", "x")],
  [/^open directory for writing/, (r) => void r.open(path("nodes"), { access: "w" })],
  [/^fsync a\.txt/, (r) => void r.ask({ call: "fsync", fd: r.open(path("a.txt"), { access: "w" }) })],
  [/^create empty file \(touch\)/, (r) => touch(r, "empty")],
  [/^create empty (nodes\S+)/, (r, [, name = ""]) => touch(r, name)],
  [/^create file in priv\//, (r) => put(r, "priv/secret", "x\n")],
  [/^create 100\.start/, (r) => put(r, "100.start", "x\n")],
  [/^create nodes\/pve1\/(priv\/k|openvz\/vps\.mount)$/, (r, [, name = ""]) => put(r, `nodes/pve1/${name}`, "x\n")],
  [/^create nodes\/\.version/, (r) => put(r, "nodes/.version", "x")],
  [/^create \.hidden/, (r) => put(r, ".hidden", "x")],
  [/^create name of (\d+) bytes/, (r, [, n]) => put(r, "n".repeat(Number(n)), "x")],
  [/^unlink name of (\d+) bytes/, (r, [, n]) => unlink(r, "n".repeat(Number(n)))],
  [/^create '(.*)'$/, (r, [, name = ""]) => put(r, unquoted(name), "x")],
  [/^unlink '(.*)'$/, (r, [, name = ""]) => unlink(r, unquoted(name))],
  [/^unlink uw while open$/, (r) => unlink(r, "uw")],
  [/^listdir after \(fuse hidden file\?\)$/, (r) => hidden(r)],
  [/^listdir after close$/, (r) => (r.ask({ call: "close", fd: openUw }), hidden(r))],
  [/^write on the open fd$/, (r) => written(r.ask({ call: "write", fd: openUw, data: utf8("y") }))],
  [/^pread on the open fd$/, (r) => pread(r)],
  [/^unlink nodes\/pve1\/qemu-server\/099\.conf$/, (r) => unlink(r, "nodes/pve1/qemu-server/099.conf")],
  [/^unlink d2 \(a dir\)$/, (r) => unlink(r, "d2")],
  [/^unlink of a VM conf through symlink: (\S+)$/, (r, [, name = ""]) => unlink(r, name)],
  [/^unlink (\S+)(?: \(symlink\))?$/, (r, [, name = ""]) => unlink(r, name)],
  [/^rmdir (?:NON-EMPTY|file) (\S+)$/, (r, [, name]) => void r.ask({ call: "rmdir", path: path(name) })],
  [/^rmdir \/etc\/pve itself$/, (r) => void r.ask({ call: "rmdir", path: "/etc/pve" })],
  [/^rmdir (\S+)$/, (r, [, name]) => void r.ask({ call: "rmdir", path: path(name) })],
  [/^read (\S+)$/, (r, [, name]) => r.readText(path(name))],
  [/^chmod (\S+) (?:\(dir\) )?0?(\d+)$/, (r, [, n, mode = ""]) => void r.ask({ call: "chmod", path: path(n), mode: parseInt(mode, 8) })],
  [/^chown (\S+) (-?\d+):(-?\d+)$/, (r, [, n, u, g]) => void r.ask({ call: "chown", path: path(n), uid: Number(u), gid: Number(g) })],
  [/^utime a\.txt \(1000,2000\)$/, (r) => utime(r, "a.txt", 2000)],
  [/^utime dir nodes \(0,5\)$/, (r) => utime(r, "nodes", 5)],
  [/^utime root dir$/, (r) => utime(r, "", 5)],
  [/^utime now a\.txt$/, (r) => void r.ask({ call: "utimens", path: path("a.txt"), atime: "now", mtime: "now" })],
  [/^utime \.version$/, (r) => utime(r, ".version", 5)],
  [/^link a\.txt b\.txt$/, (r) => void r.ask({ call: "link", from: path("a.txt"), to: path("b.txt") })],
  [/^symlink a\.txt l\.txt$/, (r) => void r.ask({ call: "symlink", target: "a.txt", path: path("l.txt") })],
  [/^mknod regular$/, (r) => void r.ask({ call: "close", fd: r.open(path("mk"), { access: "w", create: true, exclusive: true }) })],
  [/^readlink (\S+)$/, (r, [, name]) => link(r, name ?? "")],
  [/^write (src|dst)$/, (r, [, name = ""]) => put(r, name, `${name}\n`)],
  [/^write d2\/f$/, (r) => put(r, "d2/f", "x")],
  [/^rename dst dst/, (r) => move(r, "dst", "dst")],
  [/^rename missing x$/, (r) => move(r, "missing", "x")],
  [/^rename dst into missing dir$/, (r) => move(r, "dst", "missingdir/x")],
  [/^rename file dst over directory nodes$/, (r) => move(r, "dst", "nodes")],
  [/^rename dir d1 over file dst$/, (r) => move(r, "d1", "dst")],
  [/^rename empty dir d1 d3$/, (r) => move(r, "d1", "d3")],
  [/^rename empty dir d3 over empty dir d2$/, (r) => move(r, "d3", "d2")],
  [/^rename NON-EMPTY dir d2 d4$/, (r) => move(r, "d2", "d4")],
  [/^rename dst to d2\/dst/, (r) => move(r, "dst", "d2/dst")],
  [/^rename across symlink: d2\/dst -> local\/dst$/, (r) => move(r, "d2/dst", "local/dst")],
  [/^rename (\S+) (?:to )?(\S+)(?: \(overwrites\))?$/, (r, [, from = "", to = ""]) => move(r, from, to)],
  [/^rename dir nodes\/pve2 \(non-empty\) -> nodes\/pve3$/, (r) => move(r, "nodes/pve2", "nodes/pve3")],
  [/^open (\S+) O_WRONLY \(root\)$/, (r, [, name]) => r.write(path(name), "x", { access: "w" })],
  [/^write \.debug "(.*?)"/, (r, [, text = ""]) => debug(r, text)],
  [/^write 1 MiB in one file$/, (r) => r.write(path("big"), new Uint8Array(1_048_576), W)],
  [/^append 1 byte to 1 MiB file$/, (r) => r.write(path("big"), "x", { access: "w", append: true })],
  [/^write 1 MiB \+ 1$/, (r) => r.write(path("big2"), new Uint8Array(1_048_577), W)],
  [/^pwrite 1 byte at offset 1 MiB - 1/, (r) => r.write(path("big3"), "x", { access: "w", create: true }, 1_048_575)],
  [/^pwrite 1 byte at offset 1 MiB of/, (r) => r.write(path("big4"), "x", { access: "w", create: true }, 1_048_576)],
  [/^pwrite 1 byte at offset 5 GiB$/, (r) => r.write(path("big5"), "x", { access: "w", create: true }, 5 * 2 ** 30)],
  // Guests: 02.
  [/^rewrite nodes\/pve1\/qemu-server\/100\.conf/, (r) => put(r, "nodes/pve1/qemu-server/100.conf", "cores: 4\n")],
  [/^create (nodes\/pve1\/qemu-server\/100\.conf\.tmp\.123)$/, (r, [, n = ""]) => put(r, n, "cores: 8\n")],
  [/^rename 100\.conf\.tmp\.123/, (r) => move(r, "nodes/pve1/qemu-server/100.conf.tmp.123", "nodes/pve1/qemu-server/100.conf")],
  [/^create pve2\/qemu-server\/tmp\.x and rename/, (r) => tmpOnto(r, "nodes/pve2/qemu-server", "100.conf")],
  [/^MIGRATE: rename (\S+) -> (\S+)$/, (r, [, a, b]) => move(r, `nodes/${a}`, `nodes/${b}`)],
  [/^rename (pve\S+) -> (\S+?)(?: \(.*\))?$/, (r, [, a, b]) => move(r, `nodes/${a}`, `nodes/${b}`)],
  [/^create pve2\/lxc\/102\.conf/, (r) => put(r, "nodes/pve2/lxc/102.conf", "hostname: ct\n".slice(0, 12))],
  [/^create nodes\/pve9 dir missing: (\S+)$/, (r, [, name = ""]) => put(r, name, "x")],
  [/^create nodes\/pve1\/qemu-server\/100\.conf$/, (r) => put(r, "nodes/pve1/qemu-server/100.conf", "cores: 2")],
  [/^create nodes\/pve1\/qemu-server\/500\.conf$/, (r) => put(r, "nodes/pve1/qemu-server/500.conf", "x: y\n")],
  [/^create (nodes\S+\.conf)(?: \(.*\))?$/, (r, [, name = ""]) => put(r, name, "x")],
  // Counters: 02.
  [/^write storage\.cfg (?:again )?\(/, (r) => put(r, "storage.cfg", "dir: local\n")],
  [/^tmp file \+ rename to storage\.cfg$/, (r) => (put(r, "storage.cfg.tmp", "x\n"), move(r, "storage.cfg.tmp", "storage.cfg"))],
  [/^utime storage\.cfg$/, (r) => utime(r, "storage.cfg", EPOCH_SECONDS)],
  [/^write a file not in the list \(foo\.cfg\)$/, (r) => put(r, "foo.cfg", "x")],
];

let openUw = -1;

function unquoted(text: string): string {
  return text.replace(/\\(.)/g, (_, c: string) => ({ t: "\t", n: "\n" })[c] ?? c);
}
function makeAll(r: Recorder, names: readonly string[]): void {
  for (const name of names) r.ask({ call: "mkdir", path: path(name) });
}
function unlink(r: Recorder, name: string): void {
  if (name === "uw") {
    put(r, "uw", "abc");
    openUw = r.open(path("uw"), { access: "rw" });
  }
  r.ask({ call: "unlink", path: path(name) });
}
function hidden(r: Recorder): string {
  const names = r.names(P).match(/'\.fuse_hidden[0-9a-f]{16}'/g) ?? [];
  return `[${names.map(() => "'.fuse_hidden*'").join(", ")}]`;
}
function pread(r: Recorder): string {
  const reply = r.ask({ call: "read", fd: openUw, length: 100, at: 0 });
  return reply.value === "data" ? `b'${new TextDecoder().decode(reply.data)}'` : "";
}
function written(reply: FileReply): string {
  return reply.ok && reply.value === "count" ? String(reply.count) : "";
}
function touch(r: Recorder, name: string): void {
  r.ask({ call: "close", fd: r.open(path(name), { access: "w", create: true }) });
  r.ask({ call: "utimens", path: path(name), atime: "now", mtime: "now" });
}
function utime(r: Recorder, name: string, seconds: number): void {
  r.ask({ call: "utimens", path: path(name).replace(/\/$/, ""), atime: unixAt(seconds), mtime: unixAt(seconds) });
}
function move(r: Recorder, from: string, to: string): void {
  r.ask({ call: "rename", from: path(from), to: path(to) });
}
function cut(r: Recorder, name: string, length: number): void {
  r.ask({ call: "truncate", path: path(name), length });
}
function link(r: Recorder, name: string): string {
  const reply = r.ask({ call: "readlink", path: path(name) });
  return reply.value === "path" ? `'${reply.path}'` : "";
}
/** The recorder printed no count for the one that is longer than what counts. */
function debug(r: Recorder, text: string): string | undefined {
  const count = r.write(path(".debug"), utf8(unquoted(text)), { access: "w" });
  return text.length > 3 ? undefined : count;
}
function tmpOnto(r: Recorder, directory: string, name: string): void {
  put(r, `${directory}/tmp.x`, "x");
  try {
    move(r, `${directory}/tmp.x`, `${directory}/${name}`);
  } finally {
    unlink(r, `${directory}/tmp.x`);
  }
}
/** Directories in each other, until the path is too long. */
function nested(r: Recorder): string {
  let at = path("deep");
  r.ask({ call: "mkdir", path: at });
  for (let depth = 1; depth <= 40; depth++) {
    at += `/${"d".repeat(200)}`;
    const outcome = outcomeOf(() => void r.ask({ call: "mkdir", path: at }));
    if (outcome !== "OK") return `'depth ${depth} path length ${at.length}: ${outcome}'`;
  }
  return "none";
}

interface Line {
  readonly label: string;
  readonly expected: string;
}

function lines(file: string): Line[] {
  return reference(`pmxcfs/transcripts/${file}`)
    .split("\n")
    .flatMap((line) => {
      const [, label, expected] = ARROW.exec(line) ?? [];
      return label === undefined || expected === undefined ? [] : [{ label, expected: blanked(expected) }];
    });
}

/** Blocks, times of now, and the numbers in libfuse's hidden names. */
function blanked(text: string): string {
  return text
    .replace(/ blocks=\d+/, "")
    .replace(/mtime=\d{10}'/, "mtime=*'")
    .replace(/(\.fuse_hidden)[0-9a-f]{16}/, "$1*");
}

function play(recorder: Recorder, all: readonly Line[]): string[] {
  return all.map(({ label }) => (LEFT_OUT.has(label) ? `${label} (left out)` : `${label} -> ${perform(recorder, label)}`));
}

function compare(file: string, node: LocalNode): void {
  const all = lines(file);
  const got = play(new Recorder((call) => node.call(call)), all);
  expect(got).toEqual(all.map(({ label, expected }) => (LEFT_OUT.has(label) ? `${label} (left out)` : `${label} -> ${expected}`)));
}

function perform(recorder: Recorder, label: string): string {
  const found = STEPS.map(([pattern, step]) => ({ match: pattern.exec(label), step })).find(({ match }) => match !== null);
  if (found === undefined || found.match === null) throw new Error(`nobody knows how to: ${label}`);
  const { match, step } = found;
  return outcomeOf(() => step(recorder, match));
}

const ARROW = /^(\S.*?\S)\s+-> ((?:OK|E[A-Z]+).*)$/;

/** The counters of `.version` that are others than they were, as the recorder's program prints them. */
class Counters {
  private last: Record<string, unknown> = {};

  constructor(private readonly recorder: Recorder) {}

  read(): { readonly all: string; readonly kvstore: string; readonly changed: string } {
    const { kvstore, ...now } = JSON.parse(this.recorder.text(path(".version"))) as Record<string, unknown>;
    const python = (value: unknown): string => JSON.stringify(value).replaceAll('"', "'").replaceAll(":", ": ").replaceAll(",", ", ");
    const changed = Object.keys(now).flatMap((key) =>
      now[key] === this.last[key] ? [] : [`'${key}': (${String(this.last[key])}, ${String(now[key])})`],
    );
    this.last = now;
    return { all: python(now), kvstore: python(kvstore), changed: `{${changed.join(", ")}}` };
  }
}

/** Plays a recording of calls and contents, and writes it down as the recorder did. */
function rewritten(text: string, recorder: Recorder): string {
  const counters = new Counters(recorder);
  const out: string[] = [];
  const show = (name: string): void => void out.push(...recorder.text(path(name)).split("\n").slice(0, -1));
  for (const line of text.split("\n")) {
    const label = ARROW.exec(line)?.[1];
    if (label !== undefined) out.push(`${label.padEnd(72)} -> ${perform(recorder, label)}`);
    else if (/^(?:#|-- )/.test(line)) out.push(line);
    else if (line === ".vmlist:" || line === "raw .version:") {
      out.push(line);
      show(line === ".vmlist:" ? ".vmlist" : ".version");
    } else if (line.startsWith("--- ")) {
      out.push(line);
      show(line.slice(4));
    } else if (line.startsWith("{'starttime'")) out.push(counters.read().all);
    else if (line.startsWith("kvstore ")) out.push(`kvstore ${counters.read().kvstore}`);
    else if (line.startsWith("changed: ")) out.push(`changed: ${counters.read().changed}`);
  }
  return out.join("\n");
}

/** Without empty lines and padding, and with the daemon's start as this one's. */
function squeezed(text: string): string {
  return text
    .replaceAll(/ +-> /g, " -> ")
    .replaceAll(/("time": |start(?:time)?['"]: )\d{10}/g, "$1*")
    .split("\n")
    .filter((line) => line !== "")
    .join("\n");
}

describe.skipIf(!haveReference)("as recorded", () => {
  test("01: files, directories, modes, links, special files, names, sizes", () => {
    const node = new LocalNode();
    compare("01-local-file-semantics.txt", node);
    const labels = new Set(lines("01-local-file-semantics.txt").map((line) => line.label));
    expect([...LEFT_OUT.keys()].filter((label) => !labels.has(label))).toEqual([]);
    const copy = new Memdb(node.memdb.tree.all(), new Rows(), { seconds: () => 0, changed: () => undefined });
    expect(copy.tree.contentBytes).toBe(node.memdb.tree.contentBytes);
  });

  test("02: guests, .vmlist, the counters of .version and all special files", () => {
    const node = new LocalNode();
    const recorder = new Recorder((call) => node.call(call));
    const skeleton =
      "nodes nodes/pve1 nodes/pve1/qemu-server nodes/pve1/lxc nodes/pve1/openvz nodes/pve2 nodes/pve2/qemu-server nodes/pve2/lxc";
    makeAll(recorder, skeleton.split(" "));
    const recorded = reference("pmxcfs/transcripts/02-local-vmid-vmlist-version.txt");
    expect(squeezed(rewritten(recorded, recorder))).toBe(squeezed(recorded));
  });
});
