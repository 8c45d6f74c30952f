/**
 * Where the hub listens: a socket file in a directory of this run alone, or a port on the loopback interface where the system has no such sockets. Nothing of one
 * run meets another's. Stands where nothing stands in the real stack. Left out: the socket itself.
 */
import { mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export type Transport = "ipc" | "tcp";

/** sun_path is 108 bytes with its end. */
const SOCKET_PATH_MAX = 107;

const IPC = "ipc://";
const SOCKET = "hub.sock";

/** There on every system that has such sockets. */
const SHORT_TEMPORARY = "/tmp";

const socketLength = (dir: string): number => Buffer.byteLength(join(dir, "quorate-XXXXXX", SOCKET));

/** What the hub binds to. On TCP the system picks the port. */
export interface Endpoint {
  readonly transport: Transport;
  readonly address: string;
}

/**
 * A new endpoint. The directory has mode 0700, as mkdtemp makes it.
 * @param dir where the run's own directory is made; the system's temporary one where absent, or where the path would be too long
 */
export function makeEndpoint(wanted: Transport | undefined, dir: string = tmpdir()): Endpoint {
  const tcp: Endpoint = { transport: "tcp", address: "tcp://127.0.0.1:0" };
  if (wanted === "tcp" || (wanted === undefined && process.platform === "win32")) return tcp;
  const home = [dir, tmpdir(), SHORT_TEMPORARY].find((path) => socketLength(path) <= SOCKET_PATH_MAX);
  return home === undefined ? tcp : { transport: "ipc", address: IPC + join(mkdtempSync(join(home, "quorate-")), SOCKET) };
}

/**
 * Takes the socket and its directory away; nothing else that may lie there. Also done by a worker whose hub died, so it may be gone already.
 */
export function removeEndpoint(address: string): void {
  if (!address.startsWith(IPC)) return;
  const path = address.slice(IPC.length);
  rmSync(path, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTEMPTY") throw error;
  }
}
