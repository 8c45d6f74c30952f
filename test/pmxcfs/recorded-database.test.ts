/** The rows of config.db after each recorded change (04), and what a start says of a database it does not take (07). */
import { describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../src/engine/kernel/index.ts";
import { loadRows, rootEntry, rowOf, type Row } from "../../src/engine/pmxcfs/backend.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { Recorder } from "./calls.ts";
import { EPOCH_SECONDS, LocalNode } from "./lab.ts";

skipLine("pmxcfs: recorded database");

const W = { access: "w", create: true, truncate: true } as const;

/** What the recorded shell did before it looked. */
const CHANGES: Readonly<Record<string, (r: Recorder) => void>> = {
  "": () => undefined,
  "mkdir /etc/pve/nodes": (r) => void r.ask({ call: "mkdir", path: "/etc/pve/nodes" }),
  "mkdir -p /etc/pve/nodes/pve4/qemu-server": (r) => {
    for (const path of ["/etc/pve/nodes/pve4", "/etc/pve/nodes/pve4/qemu-server"]) r.ask({ call: "mkdir", path });
  },
  "echo hello > /etc/pve/f": (r) => void r.write("/etc/pve/f", "hello\n", W),
  "echo more >> /etc/pve/f": (r) => void r.write("/etc/pve/f", "more\n", { access: "w", create: true, append: true }),
  "echo new > /etc/pve/f": (r) => void r.write("/etc/pve/f", "new\n", W),
  "touch /etc/pve/f": (r) => touch(r, "/etc/pve/f"),
  "mv /etc/pve/f /etc/pve/g": (r) => void r.ask({ call: "rename", from: "/etc/pve/f", to: "/etc/pve/g" }),
  "touch /etc/pve/empty": (r) => touch(r, "/etc/pve/empty"),
  "rm /etc/pve/empty": (r) => void r.ask({ call: "unlink", path: "/etc/pve/empty" }),
  "echo g2 > /etc/pve/tmpx; mv /etc/pve/tmpx /etc/pve/g": (r) => {
    r.write("/etc/pve/tmpx", "g2\n", W);
    r.ask({ call: "rename", from: "/etc/pve/tmpx", to: "/etc/pve/g" });
  },
  "rmdir /etc/pve/nodes/pve4/qemu-server": (r) => void r.ask({ call: "rmdir", path: "/etc/pve/nodes/pve4/qemu-server" }),
  "touch -d @1000 /etc/pve/nodes": (r) => {
    const mtime = (1000 - EPOCH_SECONDS) * 1_000_000;
    r.ask({ call: "utimens", path: "/etc/pve/nodes", atime: mtime, mtime });
  },
  "printf 'x' > /etc/pve/h": (r) => void r.write("/etc/pve/h", "x", W),
};

function touch(r: Recorder, path: string): void {
  r.ask({ call: "close", fd: r.open(path, { access: "w", create: true }) });
  r.ask({ call: "utimens", path, atime: "now", mtime: "now" });
}

/** As `sqlite3 -column` shows a row, without its padding; times of now are blank. */
function shown({ inode, parent, version, writer, mtime, type, name, data }: Row): string {
  const blob = data === undefined ? "NULL" : `X'${[...data].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("")}'`;
  return [inode, parent, version, writer, mtime >= 1_000_000_000 ? "*" : mtime, type, name, blob].join(" ");
}

describe.skipIf(!haveReference)("as recorded", () => {
  test("04: each change is these rows", () => {
    const node = new LocalNode({ name: "pve4" });
    const recorder = new Recorder((call) => node.call(call));
    const steps = reference("pmxcfs/transcripts/04-config-db.txt").split("root@pve4:~# ");
    let compared = 0;
    for (const step of steps) {
      const [command = "", ...rest] = step.split("\n");
      const [, change] = /^(.*?)(?:; )?sqlite3 -readonly -header -column \S+ "select/.exec(command) ?? [];
      if (change === undefined) continue;
      const perform = CHANGES[change];
      if (perform === undefined) throw new Error(`nobody knows how to: ${change}`);
      perform(recorder);
      const table = rest.slice(2, rest.indexOf("[exit 0]")).map((line) =>
        line
          .trim()
          .replaceAll(/ +/g, " ")
          .replace(/ \d{10} /, " * "),
      );
      expect(node.rows.all().map(shown)).toEqual(table);
      compared++;
    }
    expect(compared).toBe(Object.keys(CHANGES).length);
  });

  test("07: what a start says of a damaged database", () => {
    const said = reference("pmxcfs/transcripts/07-startup-failures.txt");
    const entry = { ...rootEntry(1_795_167_573), inode: 0x11, version: 0x12, type: 8, name: "vzdump.cron" } as const;
    const duplicate = loadRows([rowOf(rootEntry(0)), entry, { ...entry, inode: 0x26, version: 0x28, mtime: 1_795_167_575 }]);
    expect(said).toContain(`[database] crit: ${"refused" in duplicate ? duplicate.refused : ""}\n`);
    const lost = loadRows([rowOf(rootEntry(0)), { ...entry, parent: 4 }]);
    expect(said).toContain(`[database] crit: ${"refused" in lost ? lost.refused : ""}\n`);
  });
});

const file = (inode: number, name: string, text = "x"): Row => ({ ...rowOf(rootEntry(1)), inode, name, version: inode, data: utf8(text) });

test("a database is refused for what pmxcfs refuses it", () => {
  const root = rowOf(rootEntry(1));
  const refused = (...rows: Row[]): string => {
    const loaded = loadRows(rows);
    return "refused" in loaded ? loaded.refused : "taken";
  };
  expect(refused(root)).toBe("taken");
  expect(refused(root, file(2, "a"), file(3, "b"))).toBe("taken");
  expect(refused({ ...root, name: "x" })).toBe("root inode has unexpected name 'x'");
  expect(refused(root, file(2, ""))).toBe("inode has no name (inode = 0000000000000002)");
  expect(refused(root, { ...file(2, "a"), type: 5 })).toBe("inode has unknown type (inode = 0000000000000002, type = 5)");
  expect(refused(root, { ...file(31, "a"), type: 4 })).toBe("directory inode contains data (inode = 000000000000001F)");
});

test("one VMID on two nodes is found when the list of guests is made", () => {
  const node = new LocalNode();
  const recorder = new Recorder((call) => node.call(call));
  for (const path of ["nodes", "nodes/a", "nodes/a/lxc", "nodes/b", "nodes/b/lxc"])
    recorder.ask({ call: "mkdir", path: `/etc/pve/${path}` });
  recorder.write("/etc/pve/nodes/a/lxc/100.conf", "x", W);
  recorder.write("/etc/pve/nodes/b/lxc/101.conf", "x", W);
  expect(node.memdb.rebuild()).toBeUndefined();
  for (const row of node.rows.all()) if (row.name === "101.conf") node.rows.rows.set(row.inode, { ...row, name: "100.conf" });
  expect(new LocalNode({ rows: node.rows }).memdb.rebuild()).toBe(100);
});

test("a database that fails makes every change an error until the next start, and keeps what was there", () => {
  const node = new LocalNode();
  const recorder = new Recorder((call) => node.call(call));
  recorder.write("/etc/pve/a", "one\n", W);
  node.rows.broken = true;
  const change = (): unknown => node.call({ call: "mkdir", path: "/etc/pve/d" });
  expect(change()).toMatchObject({ ok: false, errno: "EIO" });
  node.rows.broken = false;
  expect(change()).toMatchObject({ ok: false, errno: "EIO" });
  expect(recorder.text("/etc/pve/a")).toBe("one\n");
  const again = new LocalNode({ rows: node.rows });
  expect(fromUtf8(again.memdb.tree.lookup("a")?.data ?? new Uint8Array(0))).toBe("one\n");
  expect(again.call({ call: "mkdir", path: "/etc/pve/d" })).toMatchObject({ ok: true });
});

test("a directory with files renamed onto an empty one is refused, and the empty one has gone from the tree but not from the database", () => {
  const node = new LocalNode();
  const recorder = new Recorder((call) => node.call(call));
  for (const path of ["a", "b"]) recorder.ask({ call: "mkdir", path: `/etc/pve/${path}` });
  recorder.write("/etc/pve/a/f", "x", W);
  expect(node.call({ call: "rename", from: "/etc/pve/a", to: "/etc/pve/b" })).toMatchObject({ ok: false, errno: "ENOTEMPTY" });
  expect(node.call({ call: "stat", path: "/etc/pve/b" })).toMatchObject({ ok: false, errno: "ENOENT" });
  expect(node.rows.all().filter((row) => row.name === "b")).toHaveLength(1);
  recorder.ask({ call: "mkdir", path: "/etc/pve/b" });
  const loaded = loadRows(node.rows.all());
  expect("refused" in loaded ? loaded.refused : "").toMatch(/^found entry with duplicate name 'b' - A:\(inode = 0x0000000000000003, /);
});
