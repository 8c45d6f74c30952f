/**
 * The exact shapes of what is done to a machine and of what reaches its cards, for checking them wherever they come from: the API, a worker's wire, a record. They follow
 * machine.ts. Left out: machine snapshots, which only the machine itself understands, and whether what an act names is there.
 */
import {
  isBase64,
  isBytes,
  isCount,
  isFlag,
  isMode,
  isText,
  isWithin,
  listOf,
  mapOf,
  oneOf,
  shape,
  variants,
  type Check,
} from "./check.ts";
import { isDiskImage, isFileCall, isJsonFileCall, isPiece } from "./file-shapes.ts";
import type { MachineAct } from "./machine.ts";
import { SIGNALS } from "./signals.ts";

const kind = isText;
const texts = listOf(isText);

export const isDatagram: Check = shape(
  {
    proto: oneOf("udp", "tcp", "icmp-port-unreachable", "icmp-echo", "icmp-echo-reply"),
    net: isText,
    src: isText,
    srcPort: isCount,
    dst: isText,
    dstPort: isCount,
    bytes: isBytes,
  },
  { wire: isCount },
);

export const isNicDesign: Check = shape({ name: isText, net: isText, address: isText }, { prefix: isWithin(0, 128) });

/** exit(3) takes an int and keeps its last byte. */
const isStatus = isWithin(0, 0x7fff_ffff);
/** pid_t: a process, a group where negative, everybody where -1. */
const isPid = isWithin(-0x8000_0000, 0x7fff_ffff);

const bare = shape({ kind });
const ofUnit = shape({ kind, unit: isText });

/**
 * Each kind of act has its shape here: one that is added to the type and not here does not compile.
 * @param isData how a message holds bytes
 * @param isCall the same for a file call
 */
function actShapes(isData: Check, isCall: Check): { readonly [K in MachineAct["kind"]]: Check } {
  return {
    "power-on": bare,
    shutdown: bare,
    reboot: bare,
    "power-cut": bare,
    "worker-lost": bare,
    stall: bare,
    resume: bare,
    service: shape({ kind, op: oneOf("start", "stop", "restart", "kill"), unit: isText }),
    "service-stall": ofUnit,
    "service-resume": ofUnit,
    command: shape({ kind, id: isText, argv: texts, cwd: isText, stdin: isText }),
    "command-signal": shape({ kind, id: isText, signal: oneOf("SIGINT", "SIGTERM") }),
    "command-input": shape({ kind, id: isText }, { line: isText }),
    "nic-up": shape({ kind, net: isText, up: isFlag }),
    "nic-mtu": shape({ kind, nics: listOf(shape({ net: isText, mtu: isCount })) }),
    "nic-add": shape({ kind, nic: isNicDesign }, { place: isCount }),
    "nic-remove": shape({ kind, net: isText }),
    "nic-rename": shape({ kind, net: isText, to: isText }),
    "net-renamed": shape({ kind, net: isText, to: isText }),
    "disk-device": shape({ kind, fault: oneOf("none", "read-only", "io-error", "full"), commitMicros: isCount }),
    renamed: shape({ kind, name: isText }),
    release: shape({ kind, release: isText }),
    "file-write": shape({ kind, path: isText, data: isData, append: isFlag }, { mode: isMode }),
    "file-mkdir": shape({ kind, path: isText, parents: isFlag }),
    "file-remove": shape({ kind, path: isText, recursive: isFlag }),
    "file-rename": shape({ kind, from: isText, to: isText }),
    "file-chmod": shape({ kind, path: isText, mode: isMode }),
    "file-touch": shape({ kind, path: isText }),
    file: shape({ kind, id: isText, call: isCall }, { session: isText }),
    "file-interrupt": shape({ kind, id: isText }),
    disk: shape({ kind, image: isDiskImage, chunks: listOf(isPiece) }),
    "session-open": shape({ kind, session: isText, terminal: isFlag, cwd: isText }, { line: isText }),
    "session-close": shape({ kind, session: isText }, { status: isStatus }),
    "session-cd": shape({ kind, session: isText, cwd: isText }),
    "session-run": shape(
      { kind, session: isText, id: isText, argv: texts, cwd: isText },
      { env: mapOf(isText), process: isText, parent: isText, group: isFlag },
    ),
    "session-fork": shape({ kind, session: isText, id: isText }, { argv: texts, parent: isText, group: isFlag }),
    "session-exec": shape({ kind, session: isText, id: isText, argv: texts }),
    "session-exit": shape({ kind, session: isText, id: isText, status: isStatus }),
    "session-kill": shape({ kind, session: isText, id: isText, pid: isPid, signal: oneOf(...Object.keys(SIGNALS)) }),
  };
}

export const isMachineAct: Check = variants("kind", actShapes(isBytes, isFileCall));

const jsonActs = actShapes(isBase64, isJsonFileCall);

/** Acts of these kinds where a message is JSON: byte strings are base64. */
export function jsonActsOf(kinds: readonly MachineAct["kind"][]): Check {
  return variants("kind", Object.fromEntries(kinds.map((one) => [one, jsonActs[one]])));
}
