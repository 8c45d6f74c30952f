/** A machine's disk as it is delivered, and acts and questions on whole files: what they leave, and the errno the kernel gives. */
import { describe, expect, test } from "vitest";
import { ROOT_BYTES_MAX, fromUtf8, utf8, type FileAct } from "../../src/engine/kernel/index.ts";
import { baseEntries } from "../../src/engine/machine/base-files.ts";
import { contentsOf, fileAct, fileQuery, layBase, Tree } from "../../src/engine/machine/files/index.ts";
import { LIMITS, LabFiles } from "./lab-files.ts";

const design = { hostname: "pve1", domain: "lab.local", nics: [], hosts: [{ address: "10.0.0.11", names: ["pve1.lab.local", "pve1"] }] };

function installed(): LabFiles {
  return new LabFiles((commit) => {
    const tree = new Tree(LIMITS, commit).format(0);
    layBase(tree, baseEntries(design), 0);
    return tree.settle(0);
  });
}

const text = ({ files }: LabFiles, path: string): string => {
  const reply = fileQuery(files, { kind: "file-read", path });
  return reply.kind === "file" ? fromUtf8(reply.data) : reply.kind === "error" ? reply.errno : reply.kind;
};

/** Does them one after the other; the last one's errno, "ok" on success. */
function act(lab: LabFiles, ...acts: readonly FileAct[]): string {
  let error: string | undefined;
  for (const one of acts) error = fileAct(lab.files, one);
  return error ?? "ok";
}

const write = (path: string, content: string, append = false): FileAct => ({ kind: "file-write", path, data: utf8(content), append });
const mkdir = (path: string, parents: boolean): FileAct => ({ kind: "file-mkdir", path, parents });
const remove = (path: string, recursive: boolean): FileAct => ({ kind: "file-remove", path, recursive });
const rename = (from: string, to: string): FileAct => ({ kind: "file-rename", from, to });

describe("a new disk", () => {
  test("has Debian's directories, links and modes, all of instant 0", () => {
    const { files } = installed();
    const list = (path: string): string => {
      const reply = fileQuery(files, { kind: "file-list", path });
      return reply.kind === "list" ? reply.entries.map(({ name }) => name).join(" ") : reply.kind;
    };
    expect(list("/")).toBe("bin boot dev etc home lib media mnt opt proc root run sbin srv sys tmp usr var");
    expect(list("/etc")).toBe("corosync default group hostname hosts network os-release passwd resolv.conf");
    const stat = (path: string): unknown => {
      const reply = fileQuery(files, { kind: "file-stat", path });
      return reply.kind === "stat" ? reply.stat : reply;
    };
    expect(stat("/sbin")).toEqual({ type: "symlink", mode: 0o777, size: 8, mtime: 0, target: "usr/sbin" });
    const modes = ["/etc/corosync", "/etc/hosts", "/proc", "/root", "/tmp", "/var/lib/corosync", "/var/tmp"];
    expect(modes.map((path) => (stat(path) as { mode: number }).mode.toString(8)).join(" ")).toBe("755 644 555 700 1777 755 1777");
  });

  test("names the host and the release, and knows the host's address", () => {
    const lab = installed();
    expect(text(lab, "/etc/hostname")).toBe("pve1\n");
    expect(text(lab, "/etc/hosts")).toContain("10.0.0.11 pve1.lab.local pve1\n");
    expect(text(lab, "/etc/os-release")).toContain('VERSION="12 (bookworm)"');
    expect(contentsOf(lab.files, "/bin/../../etc/hostname")).toEqual(utf8("pve1\n"));
    expect(contentsOf(lab.files, "/etc")).toBeUndefined();
  });
});

describe("writing", () => {
  test("creates with mode 0644, keeps the mode when overwriting, appends, leaves one commit after the other", () => {
    const lab = installed();
    expect(act(lab, write("/root/a", "one\n"), { kind: "file-chmod", path: "/root/a", mode: 0o600 }, write("/root/a", "two\n", true))).toBe(
      "ok",
    );
    expect(text(lab, "/root/a")).toBe("one\ntwo\n");
    expect(fileQuery(lab.files, { kind: "file-stat", path: "/root/a" })).toMatchObject({ stat: { mode: 0o600, size: 8 } });
    expect(lab.commits.map(({ seq }) => seq)).toEqual(lab.commits.map((_, i) => i + 1));
    expect(lab.commits.length).toBe(4);
  });

  test("goes through symbolic links and refuses loops", () => {
    const lab = installed();
    lab.files.attach(1);
    lab.must(1, { call: "symlink", target: "../etc/hostname", path: "/root/name" });
    expect(act(lab, write("/root/name", "other\n"))).toBe("ok");
    expect(text(lab, "/etc/hostname")).toBe("other\n");
    lab.must(1, { call: "symlink", target: "b", path: "/root/a" });
    lab.must(1, { call: "symlink", target: "a", path: "/root/b" });
    expect(text(lab, "/root/a")).toBe("ELOOP");
  });

  test("says what is in the way", () => {
    const lab = installed();
    expect(act(lab, write("/nowhere/a", "x"))).toBe("ENOENT");
    expect(act(lab, write("/etc/hostname/a", "x"))).toBe("ENOTDIR");
    expect(act(lab, write("/etc", "x"))).toBe("EISDIR");
    expect(act(lab, write(`/root/${"n".repeat(256)}`, "x"))).toBe("ENAMETOOLONG");
    expect(act(lab, { kind: "file-write", path: "/root/big", data: new Uint8Array(ROOT_BYTES_MAX + 1), append: false })).toBe("ENOSPC");
    expect(act(lab, { kind: "file-chmod", path: "/root", mode: 0o10000 })).toBe("EINVAL");
  });
});

describe("directories, removal, renaming", () => {
  test("mkdir wants a parent, mkdir -p makes it and does not mind an existing one", () => {
    const lab = installed();
    expect(act(lab, mkdir("/srv/a/b", false))).toBe("ENOENT");
    expect(act(lab, mkdir("/srv/a/b", true))).toBe("ok");
    expect(act(lab, mkdir("/srv/a/b", true))).toBe("ok");
    expect(act(lab, mkdir("/srv/a/b", false))).toBe("EEXIST");
    expect(act(lab, mkdir("/etc/hostname", true))).toBe("EEXIST");
    expect(act(lab, mkdir("/etc/hostname/x", true))).toBe("ENOTDIR");
  });

  test("a directory with something in it goes only as a whole", () => {
    const lab = installed();
    expect(act(lab, mkdir("/srv/a/b", true), write("/srv/a/b/c", "x"), remove("/srv/a", false))).toBe("ENOTEMPTY");
    expect(act(lab, remove("/srv/a", true))).toBe("ok");
    expect(text(lab, "/srv/a")).toBe("ENOENT");
    expect(act(lab, remove("/srv/none", true))).toBe("ENOENT");
    expect(act(lab, remove("/", true))).toBe("EBUSY");
  });

  test("a path is as long as the kernel takes it, a tree as deep as somebody went; either costs by its length", () => {
    const lab = installed();
    const began = process.cpuUsage();
    const longest = `/srv/${"a/".repeat(2045)}`;
    expect([longest.length, act(lab, mkdir(longest, true))]).toEqual([4095, "ok"]);
    expect(act(lab, mkdir(`${longest}a`, true))).toBe("ENAMETOOLONG");
    expect(act(lab, mkdir(`/srv/${"b/".repeat(3000)}`, true))).toBe("ENAMETOOLONG");
    expect(text(lab, "/srv/b")).toBe("ENOENT");
    // Deeper, by going there: no path leads to the end of it.
    lab.files.attach(7);
    lab.must(7, { call: "chdir", path: longest });
    for (let level = 0; level < 5000; level++) {
      lab.must(7, { call: "mkdir", path: "d", mode: 0o755 });
      lab.must(7, { call: "chdir", path: "d" });
    }
    lab.files.detach(7);
    expect(act(lab, remove("/srv/a", true))).toBe("ok");
    expect(text(lab, "/srv/a")).toBe("ENOENT");
    // Of processor time, µs. Each level from the top would be a hundred times as much.
    expect(process.cpuUsage(began).user).toBeLessThan(4_000_000);
  });

  test("rename replaces a file, not a full directory, and never moves a directory into itself", () => {
    const lab = installed();
    expect(act(lab, write("/root/a", "a"), write("/root/b", "b"), rename("/root/a", "/root/b"))).toBe("ok");
    expect(text(lab, "/root/b")).toBe("a");
    act(lab, mkdir("/srv/a/b", true));
    expect(act(lab, rename("/srv/a", "/srv/a/b/c"))).toBe("EINVAL");
    expect(act(lab, rename("/root/b", "/srv/a"))).toBe("EISDIR");
    expect(act(lab, rename("/srv/a", "/root/b"))).toBe("ENOTDIR");
    expect(act(lab, rename("/etc", "/srv"))).toBe("ENOTEMPTY");
  });

  test("touch makes an empty file or moves a time", () => {
    const lab = installed();
    lab.now = 9;
    act(lab, { kind: "file-touch", path: "/root/t" });
    lab.now = 11;
    act(lab, { kind: "file-touch", path: "/root/t" });
    expect(fileQuery(lab.files, { kind: "file-stat", path: "/root/t" })).toMatchObject({ stat: { type: "file", size: 0, mtime: 11 } });
  });
});
