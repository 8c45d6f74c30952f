/**
 * /proc as far as ps, mount, df, free, uptime and the like read it: a tree of numbers and texts made when they are asked for. In the real stack: procfs. Left out: memory
 * maps, per-thread folders, /proc/net, and everything that no program of the lab reads. A descriptor's link is followed as the path it shows.
 */
import { utf8, type Errno, type FileType, type Instant } from "../../kernel/index.ts";
import type { Entry } from "./directory.ts";
import {
  cpuinfo,
  FILESYSTEMS,
  loadavg,
  meminfo,
  processComm,
  processStat,
  processStatus,
  statText,
  uptime,
  type ProcProcess,
  type ProcView,
} from "./proc-text.ts";

/** What the file layer itself knows of a process, for /proc. */
export interface ProcFiles {
  cwd(pid: number): string | undefined;
  descriptors(pid: number): readonly { readonly fd: number; readonly path: string }[];
  umask(pid: number): number;
  mounts(): string;
  mountinfo(): string;
}

interface Node {
  readonly name: string;
  readonly type: FileType;
  readonly mode?: number;
  readonly text?: () => string;
  readonly target?: () => string;
  readonly write?: (text: string) => void;
  readonly children?: readonly number[];
  readonly parent: number;
}

const ROOT = 1;
const SYS = 2;
const SYS_KERNEL = 3;
const FIRST_FILE = 4;
/** Numbers of a process's files: its own block, of which those from FD_BASE on are its descriptors. */
const PID_BASE = 65_536;
const PID_NUMBERS = 8192;
const FD_DIR = 1;
const FD_BASE = 64;

type PidFile = readonly [string, (p: ProcProcess) => string];

export class ProcFs {
  readonly kind = "proc";
  /** Who asks: /proc/self is this one. */
  caller = 1;
  private readonly fixed: readonly Node[];
  private readonly pidFiles: readonly PidFile[];
  private readonly pidLinks: readonly (readonly [string, (p: ProcProcess) => string | undefined])[];

  constructor(
    private readonly view: ProcView,
    private readonly files: ProcFiles,
  ) {
    const top: readonly (readonly [string, () => string])[] = [
      ["cmdline", () => `BOOT_IMAGE=/boot/vmlinuz-${view.kernelRelease} root=/dev/mapper/pve-root ro quiet\n`],
      ["cpuinfo", () => cpuinfo(view.processors)],
      ["filesystems", () => FILESYSTEMS],
      ["loadavg", () => loadavg(view)],
      ["meminfo", () => meminfo(view)],
      ["stat", () => statText(view)],
      ["uptime", () => uptime(view)],
      ["version", () => `${view.kernelLine}\n`],
    ];
    const kernel: readonly Omit<Node, "type" | "parent">[] = [
      { name: "hostname", mode: 0o644, text: () => `${view.hostname()}\n`, write: (text) => view.setHostname(text.trim()) },
      { name: "osrelease", text: () => `${view.kernelRelease}\n` },
      { name: "ostype", text: () => "Linux\n" },
      { name: "pid_max", mode: 0o644, text: () => "4194304\n" },
      { name: "version", text: () => `${view.kernelLine.slice(view.kernelLine.indexOf("#"))}\n` },
    ];
    const nodes: Node[] = [];
    const add = (node: Node): number => nodes.push(node) - 1 + FIRST_FILE;
    const topNumbers = top.map(([name, text]) => add({ name, type: "file", text, parent: ROOT }));
    topNumbers.push(add({ name: "mounts", type: "symlink", target: () => "self/mounts", parent: ROOT }));
    topNumbers.push(add({ name: "self", type: "symlink", target: () => String(this.caller), parent: ROOT }));
    const kernelNumbers = kernel.map((node) => add({ ...node, type: "file", parent: SYS_KERNEL }));
    const directory = (name: string, children: readonly number[], parent: number): Node => ({ name, type: "directory", children, parent });
    this.fixed = [
      directory("/", [...topNumbers, SYS], ROOT),
      directory("sys", [SYS_KERNEL], ROOT),
      directory("kernel", kernelNumbers, SYS),
      ...nodes,
    ];
    this.pidFiles = [
      ["cmdline", (p) => p.argv.map((arg) => `${arg}\0`).join("")],
      ["comm", (p) => `${processComm(p)}\n`],
      ["mountinfo", () => files.mountinfo()],
      ["mounts", () => files.mounts()],
      ["stat", (p) => processStat(view, p)],
      ["status", (p) => processStatus(p, files.umask(p.files ?? p.pid), files.descriptors(p.files ?? p.pid).length)],
    ];
    this.pidLinks = [
      ["cwd", (p) => files.cwd(p.files ?? p.pid)],
      ["exe", (p) => p.exe],
      ["root", () => "/"],
    ];
  }

  private node(ino: number): Node | undefined {
    return ino < PID_BASE ? this.fixed[ino - 1] : this.pidNode(ino);
  }

  private pidNode(ino: number): Node | undefined {
    const pid = Math.floor((ino - PID_BASE) / PID_NUMBERS);
    const base = PID_BASE + pid * PID_NUMBERS;
    const k = ino - base;
    const process = this.view.process(pid);
    if (process === undefined) return undefined;
    if (k === 0) {
      const own = [FD_DIR, ...this.pidFiles.map((_, i) => 2 + i), ...this.pidLinks.map((_, i) => 2 + this.pidFiles.length + i)];
      return { name: String(pid), type: "directory", children: own.map((n) => base + n), parent: ROOT };
    }
    if (k === FD_DIR) {
      const children = this.files.descriptors(process.files ?? pid).map(({ fd }) => base + FD_BASE + fd);
      return { name: "fd", type: "directory", mode: 0o500, children, parent: base };
    }
    if (k >= FD_BASE) {
      const open = this.files.descriptors(process.files ?? pid).find(({ fd }) => fd === k - FD_BASE);
      return open === undefined ? undefined : { name: String(open.fd), type: "symlink", target: () => open.path, parent: base + FD_DIR };
    }
    const file = this.pidFiles[k - 2];
    if (file !== undefined) return { name: file[0], type: "file", text: () => file[1](process), parent: base };
    const link = this.pidLinks[k - 2 - this.pidFiles.length];
    return link === undefined ? undefined : { name: link[0], type: "symlink", target: () => link[1](process) ?? "", parent: base };
  }

  private pids(): number[] {
    return this.view.pids().map((pid) => PID_BASE + pid * PID_NUMBERS);
  }

  private childrenOf(ino: number): number[] {
    const own = this.node(ino)?.children ?? [];
    return ino === ROOT ? [...this.pids(), ...own] : [...own];
  }

  /** Undefined where the process has gone. */
  attributes(ino: number): ProcAttributes | undefined {
    const node = this.node(ino);
    if (node === undefined) return undefined;
    const directory = node.type === "directory";
    const process = ino < PID_BASE ? undefined : this.view.process(Math.floor((ino - PID_BASE) / PID_NUMBERS));
    const at = process?.startedAt ?? this.view.bootedAt();
    const nlink = directory ? 2 + this.childrenOf(ino).filter((c) => this.node(c)?.type === "directory").length : 1;
    return {
      ...{ type: node.type, mode: node.mode ?? (directory ? 0o555 : node.type === "symlink" ? 0o777 : 0o444) },
      ...{ nlink, uid: process?.uid ?? 0, gid: process?.gid ?? 0, size: 0, atime: at, mtime: at, ctime: at },
      target: node.target?.() ?? "",
    };
  }

  lookup(dir: number, name: string): number | undefined {
    return this.childrenOf(dir).find((ino) => this.node(ino)?.name === name);
  }

  list(dir: number): Entry[] {
    return this.childrenOf(dir).flatMap((ino) => {
      const node = this.node(ino);
      return node === undefined ? [] : [{ name: node.name, ino }];
    });
  }

  parent(dir: number): number {
    return this.node(dir)?.parent ?? ROOT;
  }

  read(ino: number, at: number, length: number): Uint8Array | Errno {
    const text = this.node(ino)?.text;
    return text === undefined ? "EINVAL" : utf8(text()).slice(at, at + length);
  }

  /** Only what sysctl sets may be written. */
  write(ino: number, text: string): Errno | undefined {
    const write = this.node(ino)?.write;
    if (write === undefined) return "EIO";
    write(text);
    return undefined;
  }
}

export interface ProcAttributes {
  readonly type: FileType;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly atime: Instant;
  readonly mtime: Instant;
  readonly ctime: Instant;
  readonly target: string;
}

export const PROC_ROOT = ROOT;
