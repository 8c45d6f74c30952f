/** The programs on a node's disk are those that its shell can run or knows of, and every program of the shell lies there. */
import { describe, expect, it } from "vitest";
import { tools } from "../../src/engine/command/index.ts";
import { programFiles, programIn } from "../../src/engine/machine/index.ts";
import { BUILTIN_NAMES } from "../../src/main/shell/builtins/state.ts";
import { FILTER_NAMES } from "../../src/main/shell/userland/filters.ts";
import { programs } from "../../src/main/shell/userland/index.ts";
import { programNames } from "../../src/main/shell/userland/names.ts";
import { isNoted } from "../../src/main/shell/userland/noted.ts";
import { sh } from "./machine.ts";

const SHELLS = ["sh", "bash", "dash"];
const files = programFiles(["corosync", "corosync-qdevice", "corosync-qnetd"]);
const onDisk = new Set(files.map(({ path }) => path.replace(/^.*\//, "")));

describe("programs on the disk", () => {
  it("are known to the shell, one by one", () => {
    const known = new Set([...programNames, ...FILTER_NAMES, ...programs.keys(), ...tools.keys(), ...BUILTIN_NAMES, ...SHELLS]);
    expect([...onDisk].filter((name) => !known.has(name) && !isNoted(name))).toEqual([]);
  });

  it("are all that the shell brings and the machine answers", () => {
    const brought = [...programNames, ...FILTER_NAMES, ...programs.keys(), ...tools.keys(), ...SHELLS];
    expect(brought.filter((name) => !onDisk.has(name))).toEqual([]);
  });

  it("lie in one place each, and say which they are", () => {
    expect(onDisk.size).toBe(files.length);
    expect(files.filter(({ path, data }) => !path.endsWith(`/${programIn(data) ?? "?"}`))).toEqual([]);
  });

  it("that nobody has are not found, by whatever way one looks", async () => {
    expect(await sh("which gcc; type gcc; command -v gcc; gcc x; ls /usr/bin/gcc")).toEqual({
      status: 2,
      out: "",
      err: "bash: type: gcc: not found\nbash: gcc: command not found\nls: cannot access '/usr/bin/gcc': No such file or directory\n",
    });
  });
});
