/**
 * The processes of one machine, found by pid and by serial number. In the real stack: the kernel's pid hash and task list. Left out: pid namespaces.
 */
import { NEVER, type Instant, type SpawnOptions } from "../../kernel/index.ts";
import { commOf, type Place, type Process, type ProcessRecord, type Sink } from "./process.ts";

/** Pid of the service manager, which is the parent of orphans. */
export const INIT_PID = 1;

/** A process as it is asked for. */
export interface Birth extends SpawnOptions {
  /** Of the parent; 1 is the service manager. */
  readonly parent: number;
  readonly place: Place;
  readonly sink: Sink;
  readonly command?: string;
  readonly uid?: number;
  /** Where the caller has drawn one already (units). */
  readonly pid?: number;
  /** It leads a session of its own. */
  readonly leader?: boolean;
  /** Told its pid before its first turn. */
  readonly started?: (pid: number) => void;
  /** It leads a process group of its own. */
  readonly group?: boolean;
  /** A fork of a shell that the interpreter outside carries out: its command line names no program here. */
  readonly outside?: boolean;
}

export class ProcessSet {
  /** In the order they began. */
  private list: Process[] = [];
  private readonly byPid = new Map<number, Process>();
  private readonly bySerial = new Map<number, Process>();
  nextSerial = 1;

  all(): readonly Process[] {
    return this.list;
  }

  withPid(pid: number): Process | undefined {
    return this.byPid.get(pid);
  }

  withSerial(serial: number): Process | undefined {
    return this.bySerial.get(serial);
  }

  /** Whom kill(2) means by a pid, a process group (below -1), the sender's own (0), everybody but pid 1 and the sender (-1). */
  meant(pid: number, sender: number): readonly Process[] {
    const group = pid === 0 ? this.byPid.get(sender)?.record.pgid : -pid;
    return this.list.filter(({ record: r }) => {
      if (pid > 0) return r.pid === pid;
      return pid === -1 ? r.pid !== INIT_PID && r.pid !== sender : r.pgid === group;
    });
  }

  /** A new record; it is not among them yet. */
  make(birth: Birth, pid: number, parent: ProcessRecord | undefined, now: Instant): ProcessRecord {
    const leads = birth.leader === true || parent === undefined || parent.pid === INIT_PID;
    return {
      serial: this.nextSerial++,
      pid,
      ppid: birth.parent,
      sid: leads ? pid : parent.sid,
      pgid: leads || birth.group === true ? pid : parent.pgid,
      place: birth.place,
      argv: [...birth.argv],
      comm: commOf(birth.argv),
      outside: birth.outside === true,
      env: birth.env ?? parent?.env ?? {},
      uid: birth.uid ?? parent?.uid ?? 0,
      startedAt: now,
      realTime: 0,
      sink: birth.sink,
      command: birth.command,
      stopped: false,
      since: undefined,
      pending: [],
      waiting: [],
      socketBytes: 0,
      dropped: 0,
      calls: [],
      nextCall: 1,
      exit: undefined,
    };
  }

  add(record: ProcessRecord): Process {
    const process: Process = { record, program: undefined, timerAt: NEVER };
    this.list.push(process);
    this.byPid.set(record.pid, process);
    this.bySerial.set(record.serial, process);
    return process;
  }

  /** False where it is not, or no longer, among them. */
  remove(record: ProcessRecord): boolean {
    if (this.bySerial.get(record.serial)?.record !== record) return false;
    this.list = this.list.filter((p) => p.record !== record);
    if (this.byPid.get(record.pid)?.record === record) this.byPid.delete(record.pid);
    this.bySerial.delete(record.serial);
    return true;
  }

  /** It goes on under another pid, and so do its children as theirs. */
  renumber(process: Process, pid: number): void {
    const before = process.record.pid;
    this.byPid.delete(before);
    for (const { record } of this.list) if (record.ppid === before) record.ppid = pid;
    process.record.pid = pid;
    this.byPid.set(pid, process);
  }

  clear(): Process[] {
    const gone = this.list;
    this.list = [];
    this.byPid.clear();
    this.bySerial.clear();
    return gone;
  }
}
