/** Acts and queries on whole files answer on the machine's file systems what they answered on the tree before, and a new disk shows the same. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8, type FileAct } from "../../src/engine/kernel/index.ts";
import { answerFileQuery, applyFileAct } from "../../src/engine/machine/file-acts.ts";
import { baseEntries, baseTree } from "../../src/engine/machine/base-files.ts";
import { contentsOf, fileAct, fileQuery, layBase, Tree } from "../../src/engine/machine/files/index.ts";
import type { DirectoryNode } from "../../src/engine/machine/files.ts";
import { LIMITS, LabFiles } from "./lab-files.ts";

const design = { hostname: "pve1", domain: "lab.local", nics: [], hosts: [{ address: "10.0.0.11", names: ["pve1.lab.local", "pve1"] }] };

function installed(): LabFiles {
  return new LabFiles((commit) => {
    const tree = new Tree(LIMITS, commit).format(0);
    layBase(tree, baseEntries(design), 0);
    return tree.settle(0);
  });
}

/** Every path of the tree, and what is said of it; modes and sizes of directories apart. */
function everything(root: DirectoryNode, path: string): string[] {
  const listed = answerFileQuery(root, { kind: "file-list", path });
  if (listed.kind !== "list") return [JSON.stringify(listed)];
  return listed.entries.flatMap(({ name, stat }) => {
    const at = `${path === "/" ? "" : path}/${name}`;
    return [at, ...(stat.type === "directory" ? everything(root, at) : [])];
  });
}

test("a new disk has the same names, types, links and texts as before, and Debian's modes", () => {
  const root = baseTree(design, 0);
  const { files } = installed();
  const paths = everything(root, "/");
  expect(paths.length).toBeGreaterThan(30);
  for (const path of ["/", ...paths]) {
    const ask = (kind: "file-list" | "file-stat" | "file-read"): [unknown, unknown] => {
      const [before, now] = [answerFileQuery(root, { kind, path }), fileQuery(files, { kind, path })];
      const bare = (reply: object): string => JSON.stringify(reply).replace(/"mode":\d+,/g, "");
      return [bare(now), bare(before)];
    };
    for (const kind of ["file-list", "file-stat", "file-read"] as const) {
      const [now, before] = ask(kind);
      expect(now, `${kind} ${path}`).toBe(before);
    }
  }
  const mode = (path: string): unknown => {
    const reply = fileQuery(files, { kind: "file-stat", path });
    return reply.kind === "stat" ? reply.stat.mode.toString(8) : reply;
  };
  const modes = ["/etc/corosync", "/etc/hosts", "/proc", "/root", "/tmp", "/var/lib/corosync", "/var/tmp"].map(mode);
  expect(modes).toEqual(["755", "644", "555", "700", "1777", "755", "1777"]);
  expect(contentsOf(files, "/bin/../../etc/hostname")).toEqual(utf8("pve1\n"));
});

const name = fc.constantFrom("etc", "tmp", "a", "b", "c", "hosts", "bin", "root");
// Without a slash at the end: there the tree before followed links that Linux does not follow.
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);
const act: fc.Arbitrary<FileAct> = fc.oneof(
  fc.record({ kind: fc.constant("file-write" as const), path, data: fc.uint8Array({ maxLength: 9 }), append: fc.boolean() }),
  fc.record({
    kind: fc.constant("file-write" as const),
    path,
    data: fc.constant(utf8("x")),
    append: fc.boolean(),
    mode: fc.constantFrom(0o600, 0o755),
  }),
  fc.record({ kind: fc.constant("file-mkdir" as const), path, parents: fc.boolean() }),
  fc.record({ kind: fc.constant("file-remove" as const), path, recursive: fc.boolean() }),
  fc.record({ kind: fc.constant("file-rename" as const), from: path, to: path }),
  fc.record({ kind: fc.constant("file-chmod" as const), path, mode: fc.constantFrom(0o600, 0o755, 0o10000) }),
  fc.record({ kind: fc.constant("file-touch" as const), path }),
);

test("random acts give the same errors and files as on the tree before", () => {
  let [same, ok] = [0, 0];
  fc.assert(
    fc.property(fc.array(act, { maxLength: 20, size: "max" }), (acts) => {
      let root = baseTree(design, 0);
      const lab = installed();
      for (const [n, one] of acts.entries()) {
        lab.now = n;
        const before = applyFileAct(root, one, n);
        const error = fileAct(lab.files, one);
        expect(error, JSON.stringify(one)).toBe(before.ok ? undefined : before.errno);
        if (before.ok) root = before.value;
        same++;
        if (before.ok) ok++;
      }
      for (const at of everything(root, "/"))
        expect(JSON.stringify(fileQuery(lab.files, { kind: "file-read", path: at }))).toBe(
          JSON.stringify(answerFileQuery(root, { kind: "file-read", path: at })),
        );
    }),
    { numRuns: 120, seed: 3 },
  );
  expect(same).toBeGreaterThan(800);
  expect(ok).toBeGreaterThan(150);
});
