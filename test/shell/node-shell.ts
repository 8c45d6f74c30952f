/** A shell on a node of a world: one machine that has a clock, processes and files, with a program that serves /mnt. */
import { SEC } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import type { Interrupt } from "../../src/main/shell/interrupt.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { MountServer } from "../machine/mount-server.ts";

export function oneNode(): World {
  const design = {
    name: "lab",
    seed: "shell",
    epochUnixMicros: 1_767_225_600 * SEC,
    networks: [{ name: "net0", cidr: "10.0.0.0/24" }],
    machines: [
      {
        ...{ kind: "node" as const, name: "pve1", hostname: "pve1", domain: "lab.local", boot: 5 * SEC, disabledUnits: ["corosync"] },
        ...{ power: "on" as const, files: [], hosts: [{ address: "10.0.0.11", names: ["pve1.lab.local", "pve1"] }] },
        nics: [{ name: "eno1", net: "net0", address: "10.0.0.11" }],
      },
    ],
    faults: [],
  };
  const world = new World(design, (facts, machine) =>
    makeNode(facts, machine, { argv: ["mountd"], pid: 321, make: (os) => new MountServer(os) }),
  );
  world.runUntil(20 * SEC);
  return world;
}

export interface Ran {
  status: number;
  out: string;
  err: string;
}

/** One line on the node, with what it printed. */
export async function on(world: World, line: string, interrupt?: Interrupt): Promise<Ran> {
  let [out, err] = ["", ""];
  const port = new WorldPort(world, "pve1");
  try {
    const io = { stdout: (text: string) => void (out += text), stderr: (text: string) => void (err += text) };
    const status = await runLine(port, line, { ...io, ...(interrupt ? { interrupt } : {}) });
    return { status, out, err };
  } finally {
    port.close();
  }
}
