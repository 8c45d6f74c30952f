/** Every tool by name: what a node's program table and its questions look up. A tool that is not here is not modelled. */
import type { ProgramMaker } from "../kernel/index.ts";
import { cfgtool } from "./cfgtool.ts";
import { cmapctl } from "./cmapctl.ts";
import { corosync } from "./corosync.ts";
import { cpgtool } from "./cpgtool.ts";
import { journalctl } from "./journalctl.ts";
import { keygen } from "./keygen.ts";
import { kill } from "./kill.ts";
import { killall } from "./killall.ts";
import { pgrep, pkill } from "./pgrep.ts";
import { pidof } from "./pidof.ts";
import { ping } from "./ping.ts";
import { ps } from "./ps.ts";
import { pvecm } from "./pvecm.ts";
import { qdevicetool } from "./qdevicetool.ts";
import { qnetdtool } from "./qnetdtool.ts";
import { quorumtool } from "./quorumtool.ts";
import { systemctl } from "./systemd/tool.ts";
import { ToolProgram } from "./tool-program.ts";
import type { Tool } from "./tool.ts";
import { top } from "./top.ts";

const ALL: readonly Tool[] = [
  cfgtool,
  cmapctl,
  corosync,
  cpgtool,
  keygen,
  kill,
  killall,
  journalctl,
  pgrep,
  pidof,
  ping,
  pkill,
  ps,
  pvecm,
  qdevicetool,
  qnetdtool,
  quorumtool,
  systemctl,
  top,
];

export const tools: ReadonlyMap<string, Tool> = new Map(ALL.map((tool) => [tool.name, tool]));

/** `/usr/bin/ps` and `ps` are the same program. */
export function toolNamed(word: string): Tool | undefined {
  return tools.get(word.replace(/^\/(?:usr\/)?s?bin\//, ""));
}

/** The program of a command line that is a tool's. */
export function toolProgram(argv: readonly string[]): ProgramMaker | undefined {
  const tool = toolNamed(argv[0] ?? "");
  if (tool === undefined) return undefined;
  return tool.endless?.(argv) ?? ((os) => new ToolProgram(tool, os));
}
