#!/usr/bin/env node
/** The `quorate` command. `exec` starts without the packages the rest needs. */
import { drained } from "../lab/process/drained.ts";
import { exec } from "./exec.ts";
import { quietPipes, report } from "./outcome.ts";

async function main(args: string[]): Promise<number> {
  quietPipes();
  let lab: string | undefined;
  let at = 0;
  // `--lab DIR` may stand before the command too.
  if (args[0] === "--lab") [lab, at] = [args[1], 2];
  else if (args[0]?.startsWith("--lab=")) [lab, at] = [args[0].slice("--lab=".length), 1];
  if (args[at] === "exec" && args[at + 1] !== "--help") return exec(args.slice(at + 1), lab);
  const { program } = await import("./program.ts");
  return program(args.slice(at), lab);
}

const status = await main(process.argv.slice(2)).catch(report);
await drained();
// Timers, sockets and stdin of a finished command must not hold the program.
process.exit(status);
