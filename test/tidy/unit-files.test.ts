/** The unit files of resources/units: what they say is understood, and the engine has exactly them. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { UnitLoader } from "../../src/engine/machine/systemd/load.ts";
import { unitType } from "../../src/engine/machine/systemd/index.ts";
import { UNIT_PACKAGES } from "../../src/engine/machine/systemd/unit-files.ts";
import { TestMachine } from "../machine/systemd-machine.ts";
import { projectRoot } from "./project.ts";

const dir = join(projectRoot, "resources/units");
const Packages = z.strictObject({
  packages: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9-]+$/),
      files: z.array(z.string().refine((name) => unitType(name) !== undefined)),
      links: z.array(z.strictObject({ path: z.string().regex(/^\/(etc|lib)\/systemd\/system\//), target: z.string() })),
      scripts: z.array(z.strictObject({ name: z.string(), text: z.string().startsWith("#!/bin/sh\n") })),
    }),
  ),
});
const { packages } = Packages.parse(JSON.parse(readFileSync(join(dir, "packages.json"), "utf8")));

test("every file belongs to one package", () => {
  const files = readdirSync(dir).filter((name) => name !== "packages.json");
  expect(packages.flatMap((p) => p.files).sort()).toEqual(files.sort());
});

test("the engine's module has been written from them: node scripts/unit-files.mjs", () => {
  const read = packages.map((p) => ({ ...p, files: p.files.map((name) => ({ name, text: readFileSync(join(dir, name), "utf8") })) }));
  expect(UNIT_PACKAGES).toEqual(read);
});

/** Wanted by a unit of the real package, and not installed on a lab's node: systemd passes over such a one. */
const NOT_INSTALLED = ["rrdcached.service"];

test("systemd has nothing to say against any of them, and what they need is there", () => {
  const machine = new TestMachine(packages.map((p) => p.name));
  const said: string[] = [];
  const loader = new UnitLoader(machine.manager.hooks.files, machine.manager.hooks.host, (unit, _, text) => said.push(`${unit}: ${text}`));
  for (const name of packages.flatMap((p) => p.files)) {
    const unit = loader.load(name);
    expect(unit.loadState, name).toBe("loaded");
    expect(unit.description, name).not.toBe(name);
    for (const other of [...unit.dependencies.Requires, ...unit.dependencies.Wants])
      expect(loader.load(other).loadState, other).toBe(NOT_INSTALLED.includes(other) ? "not-found" : "loaded");
  }
  expect(said).toEqual([]);
});

test("every link leads to a unit of the same package", () => {
  for (const { files, links } of packages) for (const { target } of links) expect(files).toContain(target.split("/").at(-1));
});
