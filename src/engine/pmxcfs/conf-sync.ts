/**
 * /etc/pve/corosync.conf and the file that corosync reads: the first is copied over the second when it is not older. In the real stack: confsync in pmxcfs's dcdb.c. Who made the change has corosync
 * read its file again a second later, on all nodes.
 */
import { fromUtf8, readFileBytes, sameBytes, type FilePort } from "../kernel/index.ts";

export const CONF_NAME = "corosync.conf";
const LOCAL_CONF = "/etc/corosync/corosync.conf";

export interface CopyPort {
  readonly files: FilePort;
  log(level: "notice" | "crit", text: string): void;
}

function configVersion(data: Uint8Array): number | undefined {
  const found = /^\s*config_version\s*:\s*([0-9]+)/m.exec(fromUtf8(data))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The file of this node, which a new tree begins with. */
export function localConf(files: FilePort): Uint8Array | undefined {
  return readFileBytes(files, LOCAL_CONF);
}

/** @returns true where the file was written over one that was there */
export function copyConf({ files, log }: CopyPort, data: Uint8Array): boolean {
  if (data.length === 0) return false;
  const version = configVersion(data);
  if (version === undefined) {
    log("crit", "unable to parse cluster config_version");
    return false;
  }
  const local = localConf(files);
  if (local !== undefined) {
    if (sameBytes(local, data)) return false;
    if ((configVersion(local) ?? 0) > version) {
      log("crit", "local corosync.conf is newer");
      return false;
    }
  }
  const errno = replaceFile(files, data);
  if (errno !== undefined) {
    log("crit", `failed to write '${LOCAL_CONF}': ${errno}`);
    return false;
  }
  log("notice", `wrote new corosync config '${LOCAL_CONF}' (version = ${version})`);
  return local !== undefined;
}

/** Written beside it and renamed. */
function replaceFile(files: FilePort, data: Uint8Array): string | undefined {
  const temporary = `${LOCAL_CONF}.new.tmp`;
  const flags = { access: "w", create: true, truncate: true } as const;
  const opened = files.blocking({ call: "open", path: temporary, flags, mode: 0o644 });
  if (!opened.ok || opened.value !== "fd") return opened.ok ? "EIO" : opened.errno;
  const written = files.blocking({ call: "write", fd: opened.fd, data });
  files.blocking({ call: "close", fd: opened.fd });
  const done = written.ok ? files.blocking({ call: "rename", from: temporary, to: LOCAL_CONF }) : written;
  if (done.ok) return undefined;
  files.blocking({ call: "unlink", path: temporary });
  return done.errno;
}
