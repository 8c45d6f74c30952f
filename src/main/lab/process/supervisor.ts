/**
 * The process that runs a lab: takes the directory's lock, brings the world back or makes it, listens on the local socket, and ends in order: on
 * `down`, on a signal, or when a foreground terminal closes, it freezes the lab first. Usage: supervisor DIR
 * [--cold] [--speed X] [--host workers|inprocess] [--foreground].
 */
import "../../../engine/host/tiering.ts";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { NodeDisks } from "../../../engine/host/disk/node-disks.ts";
import type { HostKind } from "../../../engine/host/index.ts";
import { ENGINE_VERSION } from "../../../engine/world/index.ts";
import type { LabInfo } from "../api.ts";
import { worldDesign } from "../file/design.ts";
import { HISTORY_FILE, HistoryFile } from "../history/history-file.ts";
import type { LabDisk } from "../store/disk.ts";
import { bringUp, labTextOf } from "./start/bring-up.ts";
import { inProcess, startWorkers, withWorkers } from "./lab-host.ts";
import { Lab } from "../lab.ts";
import { LabPage } from "./page/lab-page.ts";
import type { LabFaults } from "../lab-faults.ts";
import type { LabFile } from "../file/labfile-schema.ts";
import { listedLabs } from "./start/known-labs.ts";
import type { LaunchMessage } from "./launch.ts";
import { beganOf, dropLock, Ownership, takeLock, type Lock } from "../store/lock.ts";
import { workersDir, dropStaleSockets, socketPath } from "../store/paths.ts";
import { Server } from "./server/server.ts";
import { endLeftProcesses } from "./session/process-list.ts";
import { Sessions } from "./sessions.ts";
import { openLog, type LabLog } from "../store/log.ts";
import { LocalChannel } from "./socket.ts";
import { systemTrouble, Trouble, usage } from "../trouble.ts";
import { version } from "../version.ts";

/** Wall time between two notes of how far the lab's time has come, and between two savings of the disks. */
const noteEveryMs = 10_000;
const saveEveryMs = 60_000;
/** Wall time between two looks whether the lab's directory is still its own; every write looks, too. */
const ownEveryMs = 1_000;
/** What ends has ended by then, whatever it waits for: freezing takes seconds for the largest lab. What is left of it, the next start finds and says. */
const endWithinMs = 60_000;
const abandonWithinMs = 5_000;

interface Options {
  dir: string;
  cold: boolean;
  speed: number | "max" | undefined;
  host: HostKind;
  /** Whoever started it takes it along when it ends. */
  foreground: boolean;
}

function readOptions(args: readonly string[]): Options {
  const [dir, ...rest] = args;
  if (dir === undefined) throw usage("supervisor: DIR [--cold] [--speed X] [--host workers|inprocess] [--foreground]");
  const after = (option: string): string | undefined => (rest.includes(option) ? rest[rest.indexOf(option) + 1] : undefined);
  const speed = after("--speed");
  return {
    dir,
    cold: rest.includes("--cold"),
    host: after("--host") === "inprocess" ? "inprocess" : "workers",
    foreground: rest.includes("--foreground"),
    speed: speed === undefined ? undefined : speed === "max" ? "max" : Number(speed),
  };
}

interface Opened {
  lab: Lab;
  disk: LabDisk;
  disks: NodeDisks;
  said: string | undefined;
  /** The cluster that was to form has formed. */
  formed: boolean;
}

/** Faults of the lab file, once the lab stands. */
async function beginFaults(lab: Lab, file: LabFile): Promise<void> {
  for (const line of file.faults) await lab.acts.act(line);
}

/** The world comes about in this process, unpaced, while its nodes' processes start; then whoever is to grant it time takes it from where it stands. */
async function openLab(options: Options, run: string, ownership: Ownership): Promise<Opened> {
  const labText = labTextOf(options.dir);
  const { text, file } = labText;
  const dir = workersDir(options.dir, run);
  const pool = options.host === "workers" ? await startWorkers(dir, worldDesign(file).machines.length) : undefined;
  try {
    const { found, disk, disks, said, formed, timeline } = bringUp(options.dir, labText, options.cold, () => ownership.check());
    const pacing = { speed: options.speed ?? found.speed, paused: true };
    const listener = (): LabFaults => lab.faults;
    const host =
      pool === undefined
        ? inProcess(found.world, disks, pacing, listener)
        : await withWorkers(pool, dir, found.world, disks, pacing, listener);
    const owned = (): void => ownership.check();
    const history = { timeline, file: new HistoryFile(join(options.dir, HISTORY_FILE), owned) };
    const lab: Lab = new Lab(host, { dir: options.dir, file, text, version: version(), disk, disks, owned, history });
    if (found.how === "new") await beginFaults(lab, file);
    else await lab.acts.inTurn(() => lab.shell.dropUnknown());
    await lab.output.noteTime();
    if (!found.paused) lab.resume();
    return { lab, disk, disks, said: said.length === 0 ? undefined : said.join("; "), formed };
  } catch (error) {
    await pool?.close();
    throw error;
  }
}

class Supervisor {
  private readonly server: Server;
  private readonly sessions: Sessions;
  private readonly listener = createServer();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly page: LabPage;
  private ending = false;
  private freezing: Promise<void> | undefined;
  private frozen = false;

  constructor(
    private readonly opened: Opened,
    private readonly lock: Lock,
    private readonly dir: string,
    private readonly log: LabLog,
    private readonly ownership: Ownership,
  ) {
    // Known to the sessions alone: what they are told does not leave the lab.
    this.sessions = new Sessions(lock.socket, randomBytes(24).toString("base64url"), dir, lock.run);
    this.server = new Server(opened.lab, this.sessions, lock.secret, {
      info: () => this.info(),
      serve: (port) => this.page.serve(port),
      labs: () => listedLabs(),
      freeze: () => this.freeze(),
      end: () => void this.end("the lab was taken down", 0),
      lost: () => this.lost(),
      log,
    });
    this.page = new LabPage({
      dir,
      log,
      onChannel: (channel) => this.server.accept(channel, true),
      owned: () => ownership.check(),
    });
    opened.lab.onEvent((event) => {
      if (event.event !== "notice") return;
      if (event.severity === "error") log.error(event.text);
      else if (event.severity === "warning") log.warn(event.text);
      else log.info(event.text);
    });
    this.listener.on("connection", (socket) => this.server.accept(new LocalChannel(socket), false));
  }

  /** @returns what is to be said of the page; undefined: nothing */
  async start(): Promise<string | undefined> {
    await new Promise<void>((resolve, reject) => {
      const mask = process.umask(0o177);
      this.listener.once("error", (error) => reject(systemTrouble(error, `listen on ${this.lock.socket}`)));
      this.listener.listen(this.lock.socket, () => {
        process.umask(mask);
        resolve();
      });
    });
    this.sessions.warm();
    const { lab } = this.opened;
    lab.keepPast();
    const every = (ms: number, what: () => Promise<void>): void => {
      const timer = setInterval(() => {
        if (lab.host.paused) return;
        what().catch((error: unknown) => lab.host.failed || lab.faults.fail(error instanceof Error ? error.message : String(error)));
      }, ms);
      this.timers.push(timer);
    };
    this.timers.push(setInterval(() => this.lost(), ownEveryMs));
    every(noteEveryMs, () => lab.output.noteTime());
    every(saveEveryMs, () => lab.output.saveDisks());
    return this.page.again();
  }

  async info(): Promise<LabInfo> {
    const { lab } = this.opened;
    return {
      lab: this.dir,
      name: lab.options.file.name,
      running: true,
      instant: await lab.host.catchUp(),
      nodes: [...lab.world.names],
      pid: process.pid,
      url: this.page.url,
      host: lab.host.kind,
      workers: Object.fromEntries(
        lab.world.names.flatMap((name) => {
          const pid = lab.host.pidOf(name);
          return pid === undefined ? [] : [[name, pid]];
        }),
      ),
    };
  }

  /** Puts the lab's state on disk; from its beginning on nothing is taken any more. */
  private freeze(): Promise<void> {
    this.freezing ??= this.freezeOnce().catch((error: unknown) => {
      this.freezing = undefined;
      throw error;
    });
    return this.freezing;
  }

  private async freezeOnce(): Promise<void> {
    const { lab, disk } = this.opened;
    const { speed, paused } = lab.host;
    await lab.beginEnd();
    lab.history.write();
    try {
      disk.freeze(lab.world, speed, paused);
      this.frozen = true;
    } catch (error) {
      lab.abandonEnd(paused);
      throw error;
    }
  }

  /** Why the lab's directory is its own no longer; then the process ends, and writes nothing there. */
  private lost(): string | undefined {
    const { lost } = this.ownership;
    if (lost !== undefined) void this.abandon(lost);
    return lost;
  }

  /** Ends the process without a word on disk: what stands in the directory's place is somebody else's. */
  private async abandon(why: string): Promise<void> {
    if (this.ending) return;
    this.ending = true;
    for (const timer of this.timers) clearInterval(timer);
    this.endBy(abandonWithinMs);
    this.log.error(`${why}: this lab ends`);
    process.stderr.write(`quorate: ${why}: this lab ends\n`);
    this.sessions.end();
    this.server.end(why);
    this.listener.close();
    if (process.platform !== "win32") rmSync(this.lock.socket, { force: true });
    const { lab } = this.opened;
    await Promise.all([this.page.close(), lab.close()]).catch((error: unknown) =>
      this.log.unexpected(error, "the nodes' processes could not be ended"),
    );
    process.exit(1);
  }

  private endBy(ms: number): void {
    const late = (): never => {
      this.log.error(`did not end within ${ms / 1000} s: the process ends as it stands`);
      process.exit(1);
    };
    setTimeout(late, ms).unref();
  }

  /** Freezes the lab and ends the process. */
  async end(reason: string, status: number): Promise<void> {
    if (this.ending || this.lost() !== undefined) return;
    this.ending = true;
    this.endBy(endWithinMs);
    for (const timer of this.timers) clearInterval(timer);
    const { lab, disk } = this.opened;
    let ended = status;
    try {
      await this.freeze();
    } catch (error) {
      ended = 1;
      this.log.unexpected(error, "the lab could not be frozen");
    }
    await lab.close().catch((error: unknown) => {
      ended = 1;
      this.log.unexpected(error, "the nodes' processes could not be ended");
    });
    disk.close();
    if (this.frozen) this.opened.disks.settle(lab.world.now);
    this.opened.disks.close();
    this.sessions.end();
    this.server.end(reason, this.frozen);
    this.listener.close();
    await this.page.close();
    dropLock(this.dir, this.lock.run);
    if (process.platform !== "win32") rmSync(this.lock.socket, { force: true });
    this.log.info(`ended with status ${ended}: ${reason}`);
    // Clients get what was still to be said to them; whoever does not read them is not waited for.
    setTimeout(() => process.exit(ended), 50);
  }
}

function tell(message: LaunchMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });
}

/** Brings the lab up and tells whoever started it. `started` is called right before. */
async function begin(options: Options, lock: Lock, log: LabLog, started: () => void): Promise<void> {
  const ownership = new Ownership(options.dir, lock.run);
  const opened = await openLab(options, lock.run, ownership);
  const supervisor = new Supervisor(opened, lock, options.dir, log, ownership);
  const said = [opened.said, await supervisor.start()].filter((text) => text !== undefined).join("; ");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void supervisor.end(`the lab got ${signal}`, 0));
  process.on("uncaughtException", (error) => {
    log.unexpected(error, "nobody caught this");
    opened.lab.faults.fail(`the lab itself failed: ${error.message}`);
  });
  const { lab } = opened;
  const { names } = lab.world;
  const nodes = `${names.length} ${names.length === 1 ? "node" : "nodes"}`;
  log.info(`started: ${nodes}, ${lab.host.kind}, version ${version()}, engine ${ENGINE_VERSION}, instant ${lab.world.now}`);
  if (said !== "") log.warn(said);
  started();
  await tell({ ready: await supervisor.info(), said: said === "" ? undefined : said, formed: opened.formed });
  if (options.foreground) process.on("disconnect", () => void supervisor.end("the terminal is gone", 0));
}

async function main(): Promise<void> {
  // Whatever this process makes is its owner's alone.
  process.umask(0o077);
  const options = readOptions(process.argv.slice(2));
  const run = randomBytes(4).toString("hex");
  const { pid } = process;
  const lock: Lock = {
    pid,
    began: beganOf(pid),
    socket: socketPath(options.dir, run),
    secret: randomBytes(24).toString("base64url"),
    run,
  };
  const holder = takeLock(options.dir, lock);
  if (holder) throw usage(`${options.dir} is busy: process ${holder.pid} runs a lab there`);
  // Whoever starts a lab and is gone before it stands would never know of it.
  const abandoned = (): void => {
    log?.error("the lab did not start: whoever started it is gone");
    dropLock(options.dir, run);
    process.exit(1);
  };
  process.once("disconnect", abandoned);
  let log: LabLog | undefined;
  try {
    log = openLog(options.dir);
    dropStaleSockets(options.dir, lock.socket);
    const left = endLeftProcesses(options.dir);
    if (left.length > 0) log.warn(`ended what the last supervisor had left: ${left.join(", ")}`);
    await begin(options, lock, log, () => process.off("disconnect", abandoned));
  } catch (error) {
    if (!(error instanceof Trouble)) log?.unexpected(error, "the lab could not start");
    else log?.error(`the lab did not start: ${error.message}`);
    dropLock(options.dir, run);
    throw error;
  }
}

main().catch(async (error: unknown) => {
  const known = error instanceof Trouble;
  const message = error instanceof Error ? error.message : String(error);
  if (!process.send) console.error(message);
  await tell({ failed: { code: known ? error.code : "lab", message: known ? message : `the lab could not start: ${message}` } });
  process.exit(1);
});
