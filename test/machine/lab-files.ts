/** The files of a machine of the lab, with a host that keeps what it is told. */
import { Files, ROOT_INO, Tree, treeOf, type FilesHost, type ProcProcess } from "../../src/engine/machine/files/index.ts";
import { utf8, type Commit, type FileCall, type FileReply, type Served, type DiskImage } from "../../src/engine/kernel/index.ts";

export { ROOT_INO };

export const LIMITS = { blocks: 16_384, inodes: 20_000 };

export class LabFiles {
  now = 0;
  readonly commits: Commit[] = [];
  readonly requests: (Served & { readonly server: number })[] = [];
  readonly unmounted: number[] = [];
  /** When the disk will be done with something. */
  readonly wakes: number[] = [];
  readonly processes = new Map<number, ProcProcess>([
    [1, { pid: 1, ppid: 0, comm: "systemd", argv: ["/sbin/init"], state: "S", startedAt: 0, uid: 0, gid: 0, session: 1 }],
  ]);
  name = "pve1";
  readonly files: Files;

  constructor(root?: (commit: (commit: Commit) => void) => Tree) {
    const commit = (c: Commit): void => void this.commits.push(c);
    this.files = new Files(this.host(commit), root?.(commit) ?? new Tree(LIMITS, commit).format(0));
    if (root === undefined) this.files.root.flush();
  }

  private host(commit: (commit: Commit) => void): FilesHost {
    return {
      now: () => this.now,
      commit,
      request: (server, served) => void this.requests.push({ ...served, server }),
      unmounted: (_server, mount) => void this.unmounted.push(mount),
      pidOf: (process) => process,
      wakeDisk: (at) => void this.wakes.push(at),
      proc: {
        pids: () => [...this.processes.keys()],
        process: (pid) => this.processes.get(pid),
        hostname: () => this.name,
        setHostname: (name) => void (this.name = name),
        now: () => this.now,
        bootedAt: () => 0,
        bootUnixSeconds: () => 1_767_225_600,
        kernelRelease: "6.14.8-2-pve",
        kernelLine: "Linux version 6.14.8-2-pve (build@proxmox) #1 SMP PREEMPT_DYNAMIC PMX 6.14.8-2 (2025-07-22T10:04Z)",
        processors: 2,
        memoryBytes: 4 * 1024 * 1024 * 1024,
      },
    };
  }

  /** A call that has to be answered at once. */
  call(pid: number, call: FileCall): FileReply {
    const made = this.files.call(pid, call);
    if ("pending" in made) throw new Error(`${call.call} waits`);
    return made.done;
  }

  /** One that has to succeed. */
  must(pid: number, call: FileCall): FileReply {
    const reply = this.call(pid, call);
    if (!reply.ok) throw new Error(`${JSON.stringify(call)}: ${reply.errno}`);
    return reply;
  }

  write(pid: number, path: string, text: string): void {
    const opened = this.must(pid, { call: "open", path, flags: { access: "w", create: true, truncate: true } });
    const fd = opened.ok && opened.value === "fd" ? opened.fd : -1;
    this.must(pid, { call: "write", fd, data: utf8(text) });
    this.must(pid, { call: "close", fd });
  }

  static of(image: DiskImage, chunks: (hash: string) => Uint8Array | undefined): LabFiles {
    return new LabFiles((commit) => {
      const mounted = treeOf(image, chunks, LIMITS, commit);
      if (mounted === undefined) throw new Error("no root directory");
      return mounted.tree;
    });
  }
}
