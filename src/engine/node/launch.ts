/** How a daemon process is called, and what it tells whoever runs it: systemd with the unit's command line, or a shell with somebody's. */
import { CONF_PATH } from "../config/index.ts";
import type { ExitStatus } from "../machine/index.ts";
import type { ConfFile } from "./settings.ts";

/** How a process was called. */
export interface Launch {
  readonly file: ConfFile;
  /** -t: it looks at the file and ends. */
  readonly test: boolean;
  /** -f; without it the process goes to the background once its file has been accepted. */
  readonly foreground: boolean;
  /** Its standard error is somebody's; else it is thrown away (StandardError=null). */
  readonly heard: boolean;
  /** The unit its journal lines belong to. */
  readonly unit: string;
}

/** Whoever runs the process. */
export interface ProcessEvents {
  ready(): void;
  exited(exit: ExitStatus): void;
  /** A piece of standard error. */
  stderr(text: string): void;
  /** It went to the background: whoever waited for it goes on. */
  detached(): void;
  /** Another process has the lock file. */
  locked(): boolean;
  /** The file was read again. */
  reloaded(): void;
}

/** ExecStart= of the unit: `corosync -f` with standard error thrown away. */
export const UNIT_LAUNCH: Launch = {
  file: { path: CONF_PATH, named: CONF_PATH },
  test: false,
  foreground: true,
  heard: false,
  unit: "corosync",
};

/** What a shell starts belongs to the login session, as systemd counts. */
export const SESSION_UNIT = "session-1.scope";
