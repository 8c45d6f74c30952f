/** Which program a command line is on which machine, and which of the tools are on its disk: what Proxmox VE installs, what a package adds, what a qnetd host has. */
import { toolNamed, toolProgram, tools, type Tool } from "../command/index.ts";
import { profileOf } from "../config/index.ts";
import { Corosync, parseCall } from "../corosync/index.ts";
import type { Program, ProgramMaker } from "../kernel/index.ts";
import { packagedServices } from "../machine/systemd/index.ts";
import { Pmxcfs } from "../pmxcfs/index.ts";
import { QdeviceProgram, QnetdProgram } from "../qdevice/index.ts";
import { basicProgram } from "./basic-programs.ts";
import { LeaveTool } from "./leave-tool.ts";

export type MachineKind = "node" | "qnetd";

/** A daemon: its unit's and its program's name, and where it is installed. */
interface Row {
  readonly name: string;
  readonly directory: string;
  readonly make: ProgramMaker;
  /** It is on every machine of this kind, or comes with this package. */
  readonly on: MachineKind | { readonly package: string };
  /** A call that only prints is a question to the tool of that name. */
  readonly prints?: (argv: readonly string[], release: string) => boolean;
}

const ROWS: readonly Row[] = [
  {
    name: "corosync",
    directory: "/usr/sbin",
    make: (os) => new Corosync(os),
    on: "node",
    prints: (argv, release) => "status" in parseCall(argv, "/", profileOf(release)),
  },
  { name: "corosync-qdevice", directory: "/usr/sbin", make: (os) => new QdeviceProgram(os), on: { package: "corosync-qdevice" } },
  { name: "pmxcfs", directory: "/usr/bin", make: (os) => new Pmxcfs(os), on: { package: "pve-cluster" } },
  { name: "corosync-qnetd", directory: "/usr/bin", make: (os) => new QnetdProgram(os), on: "qnetd" },
];

/** A program that a world brings along, beside those of the disk; it is started when the kernel is up. */
export interface BroughtProgram {
  readonly argv: readonly string[];
  readonly pid: number;
  readonly make: ProgramMaker;
}

/** Tools that come with these alone; all others are everywhere. */
const OF_NODE: readonly string[] = [
  "corosync",
  "corosync-cfgtool",
  "corosync-cmapctl",
  "corosync-cpgtool",
  "corosync-keygen",
  "corosync-quorumtool",
  "pvecm",
];
const OF_QNETD: readonly string[] = ["corosync-qnetd-tool"];
const OF_PACKAGE: Readonly<Record<string, readonly string[]>> = { "corosync-qdevice": ["corosync-qdevice-tool"] };

/** The tools on a machine's disk. */
function toolsOf(kind: MachineKind, packages: readonly string[]): ReadonlySet<string> {
  const special = new Set([...OF_NODE, ...OF_QNETD, ...Object.values(OF_PACKAGE).flat()]);
  const own = kind === "node" ? [...OF_NODE, ...packages.flatMap((p) => OF_PACKAGE[p] ?? [])] : OF_QNETD;
  return new Set([...own, ...[...tools.keys()].filter((name) => !special.has(name))]);
}

/** What is installed on a machine of this kind, by the names of Debian's packages. */
export function packagesOf(kind: MachineKind, packages: readonly string[] = []): string[] {
  return ["systemd", ...(kind === "qnetd" ? ["corosync-qnetd"] : ["corosync", ...packages])];
}

/** The services that the lab is about, without suffix: those that run one of the programs. */
export function servicesOf(packages: readonly string[]): string[] {
  return packagedServices(packages)
    .filter(({ path }) => ROWS.some((row) => `${row.directory}/${row.name}` === path))
    .map(({ name }) => name);
}

/** What corosync's unit stops it by. */
const LEAVE = "/usr/sbin/corosync-cfgtool -H --force";

/** The programs of one machine, and those that run. */
export class Programs {
  private readonly rows: readonly Row[];
  /** Names of the tools on its disk. */
  readonly tools: ReadonlySet<string>;

  constructor(
    kind: MachineKind,
    packages: readonly string[],
    private readonly brought: BroughtProgram | undefined,
    /** What the processes of the machine run now. */
    private readonly running: () => readonly Program[],
    /** corosync is stopped: who asks it waits. */
    private readonly stalled: () => boolean,
    /** Which release of the stack is installed. */
    private readonly release: () => string,
  ) {
    this.rows = ROWS.filter((row) => (typeof row.on === "string" ? row.on === kind : packages.includes(row.on.package)));
    this.tools = toolsOf(kind, packages);
  }

  /** Undefined where the command line is no program's. */
  maker(argv: readonly string[]): ProgramMaker | undefined {
    const word = argv[0] ?? "";
    if (this.brought !== undefined && word === this.brought.argv[0]) return this.brought.make;
    if (argv.join(" ") === LEAVE) return (os) => new LeaveTool(os, this.stalled);
    const row = this.row(word);
    if (row !== undefined && row.prints?.(argv, this.release()) !== true) return row.make;
    return this.tool(word) === undefined ? basicProgram(argv) : toolProgram(argv);
  }

  /** What it prints is for whoever reads the journal of its unit; the daemons write there themselves. */
  printsToJournal(argv: readonly string[]): boolean {
    return this.row(argv[0] ?? "") === undefined && this.tool(argv[0] ?? "") === undefined && basicProgram(argv) !== undefined;
  }

  /** The tool of that name; undefined where the machine has none. */
  tool(word: string): Tool | undefined {
    const tool = toolNamed(word);
    return tool !== undefined && this.tools.has(tool.name) ? tool : undefined;
  }

  /** Typed command lines that run a daemon; not those that only have it print something. */
  isDaemon(argv: readonly string[]): boolean {
    const row = this.row(argv[0] ?? "");
    return row !== undefined && row.prints?.(argv, this.release()) !== true;
  }

  private row(word: string): Row | undefined {
    const slash = word.lastIndexOf("/");
    const [directory, name] = [word.slice(0, Math.max(0, slash)), word.slice(slash + 1)];
    return this.rows.find((r) => r.name === name && (slash < 0 || directory === r.directory || `/usr${directory}` === r.directory));
  }

  /** The corosync whose layers are this node's word in the cluster. */
  get corosync(): Corosync | undefined {
    return this.running().find((p): p is Corosync => p instanceof Corosync && p.believing !== undefined);
  }

  get qdevice(): QdeviceProgram | undefined {
    return this.running().find((p) => p instanceof QdeviceProgram);
  }

  get pmxcfs(): Pmxcfs | undefined {
    return this.running().find((p) => p instanceof Pmxcfs);
  }

  get qnetd(): QnetdProgram | undefined {
    return this.running().find((p) => p instanceof QnetdProgram);
  }
}
