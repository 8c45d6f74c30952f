/**
 * A node's disk: a new machine has the files a Proxmox VE host has; operations answer with the errno the kernel gives; nothing changes in place, so an
 * older tree stays as it was.
 */
import { describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../src/engine/kernel/index.ts";
import {
  DISK_BYTES_MAX,
  baseTree,
  changeMode,
  find,
  makeDirectory,
  makeSymlink,
  realPath,
  remove,
  rename,
  touch,
  writeFile,
  type DirectoryNode,
  type Result,
} from "../../src/engine/machine/index.ts";
import { TestNetwork } from "./lab.ts";

const newTree = (): DirectoryNode =>
  baseTree({ hostname: "pve1", domain: "lab.local", nics: [], hosts: [{ address: "10.0.0.11", names: ["pve1.lab.local", "pve1"] }] }, 0);

function tree(result: Result<DirectoryNode>): DirectoryNode {
  if (!result.ok) throw new Error(result.errno);
  return result.value;
}

const errno = (result: Result<unknown>): string => (result.ok ? "ok" : result.errno);

function text(root: DirectoryNode, path: string): string {
  const found = find(root, path);
  if (!found.ok) return found.errno;
  return found.value.type === "file" ? fromUtf8(found.value.data) : found.value.type;
}

const put = (root: DirectoryNode, path: string, content: string, append = false): Result<DirectoryNode> =>
  writeFile(root, path, utf8(content), { append }, 5);

describe("a new disk", () => {
  test("names the host and the release, and knows the host's address", () => {
    expect(text(newTree(), "/etc/hostname")).toBe("pve1\n");
    expect(text(newTree(), "/etc/hosts")).toContain("10.0.0.11 pve1.lab.local pve1\n");
    expect(text(newTree(), "/etc/os-release")).toContain('VERSION="12 (bookworm)"');
  });
});

describe("writing", () => {
  test("creates with mode 0644, keeps the mode when overwriting, appends", () => {
    let root = tree(put(newTree(), "/root/a", "one\n"));
    root = tree(changeMode(root, "/root/a", 0o600));
    root = tree(put(root, "/root/a", "two\n", true));
    expect(text(root, "/root/a")).toBe("one\ntwo\n");
    const node = find(root, "/root/a");
    expect(node.ok && node.value.mode).toBe(0o600);
  });

  test("leaves the tree it started from untouched", () => {
    const before = newTree();
    put(before, "/root/a", "x");
    expect(text(before, "/root/a")).toBe("ENOENT");
  });

  test("goes through symbolic links and refuses loops", () => {
    let root = tree(makeSymlink(newTree(), "../etc/hostname", "/root/name", 1));
    root = tree(put(root, "/root/name", "other\n"));
    expect(text(root, "/etc/hostname")).toBe("other\n");
    root = tree(makeSymlink(root, "b", "/root/a", 1));
    root = tree(makeSymlink(root, "a", "/root/b", 1));
    expect(text(root, "/root/a")).toBe("ELOOP");
    expect(realPath(root, "/bin/../../root/name")).toEqual({ ok: true, value: "/etc/hostname" });
  });

  test("says what is in the way", () => {
    const root = newTree();
    expect(errno(put(root, "/nowhere/a", "x"))).toBe("ENOENT");
    expect(errno(put(root, "/etc/hostname/a", "x"))).toBe("ENOTDIR");
    expect(errno(put(root, "/etc", "x"))).toBe("EISDIR");
    expect(errno(put(root, `/root/${"n".repeat(256)}`, "x"))).toBe("ENAMETOOLONG");
    expect(errno(writeFile(root, "/root/big", new Uint8Array(DISK_BYTES_MAX + 1), { append: false }, 0))).toBe("ENOSPC");
  });
});

describe("directories, removal, renaming", () => {
  test("mkdir wants a parent, mkdir -p makes it and does not mind an existing one", () => {
    expect(errno(makeDirectory(newTree(), "/srv/a/b", false, 1))).toBe("ENOENT");
    const root = tree(makeDirectory(newTree(), "/srv/a/b", true, 1));
    expect(errno(makeDirectory(root, "/srv/a/b", true, 1))).toBe("ok");
    expect(errno(makeDirectory(root, "/srv/a/b", false, 1))).toBe("EEXIST");
    expect(errno(makeDirectory(root, "/etc/hostname", true, 1))).toBe("EEXIST");
    expect(errno(makeDirectory(root, "/etc/hostname/x", true, 1))).toBe("ENOTDIR");
  });

  test("a directory with something in it goes only as a whole", () => {
    const root = tree(makeDirectory(newTree(), "/srv/a/b", true, 1));
    expect(errno(remove(root, "/srv/a", false, 2))).toBe("ENOTEMPTY");
    expect(text(tree(remove(root, "/srv/a", true, 2)), "/srv/a")).toBe("ENOENT");
    expect(errno(remove(root, "/srv/none", true, 2))).toBe("ENOENT");
    expect(errno(remove(root, "/", true, 2))).toBe("EBUSY");
  });

  test("rename replaces a file, not a full directory, and never moves a directory into itself", () => {
    let root = tree(put(newTree(), "/root/a", "a"));
    root = tree(put(root, "/root/b", "b"));
    expect(text(tree(rename(root, "/root/a", "/root/b", 3)), "/root/b")).toBe("a");
    root = tree(makeDirectory(root, "/srv/a/b", true, 1));
    expect(errno(rename(root, "/srv/a", "/srv/a/b/c", 3))).toBe("EINVAL");
    expect(errno(rename(root, "/root/a", "/srv/a", 3))).toBe("EISDIR");
    expect(errno(rename(root, "/srv/a", "/root/a", 3))).toBe("ENOTDIR");
    expect(errno(rename(root, "/etc", "/srv", 3))).toBe("ENOTEMPTY");
  });

  test("touch makes an empty file or moves a time", () => {
    const root = tree(touch(newTree(), "/root/t", 9));
    const node = find(tree(touch(root, "/root/t", 11)), "/root/t");
    expect(node.ok && [node.value.type, node.value.mtime]).toEqual(["file", 11]);
  });
});

describe("a node", () => {
  test("answers file acts with an effect and file questions without one", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(1000);
    network.effects = [];
    network.act(0, { kind: "file-write", path: "/root/a", data: utf8("hello\n"), append: false });
    network.act(0, { kind: "file-mkdir", path: "/nowhere/b", parents: false });
    expect(network.effects.map((e) => e.effect)).toEqual([
      { kind: "file-result", path: "/root/a", error: undefined },
      { kind: "file-result", path: "/nowhere/b", error: "ENOENT" },
    ]);
    expect(network.node(0).query(1000, { kind: "file-read", path: "/root/a" })).toEqual({ kind: "file", data: utf8("hello\n") });
    expect(network.node(0).query(1000, { kind: "file-stat", path: "/etc/os-release" })).toMatchObject({
      stat: { type: "symlink", mode: 0o777 },
    });
    expect(network.node(0).query(1000, { kind: "file-list", path: "/etc/corosync" })).toMatchObject({
      entries: [
        { name: "authkey", stat: { mode: 0o400, size: 256 } },
        { name: "corosync.conf", stat: { mode: 0o644 } },
      ],
    });
    expect(network.node(0).query(1000, { kind: "file-read", path: "/etc/shadow" })).toEqual({ kind: "error", errno: "ENOENT" });
  });
});
