/** The process table as the files see it: who serves a mount, and what /proc shows of a process. In the real stack: fs/proc's view of task_struct. Left out: threads and groups. */
import type { FileUsers } from "../computer-files.ts";
import type { ProcProcess } from "../files/index.ts";
import { stateLetter } from "./process.ts";
import type { ProcessTable } from "./table.ts";

/** @param table the processes; it is made after the files */
export function fileUsers(table: () => ProcessTable): FileUsers {
  return {
    served: (server, served) => table().post(server, { kind: "served", served }),
    unmounted: (server, mount) => table().post(server, { kind: "unmounted", mount }),
    // A call from outside is nobody's; who serves a mount sees the kernel then.
    pidOf: (process) => table().pidOf(process),
    pids: () =>
      table()
        .records()
        .map(({ pid }) => pid)
        .sort((a, b) => a - b),
    process: (pid): ProcProcess | undefined => {
      const record = table().get(pid);
      if (record === undefined) return undefined;
      const { serial, ppid, sid, comm, argv, startedAt, uid } = record;
      const exe = argv[0]?.startsWith("/") === true ? { exe: argv[0] } : {};
      const state = stateLetter(record, false, table().hooks.files.waits(serial));
      return { pid, files: serial, ppid, comm, argv, ...exe, state, startedAt, uid, gid: 0, session: sid };
    },
  };
}
