/**
 * The exact shapes of what a worker is told about its machine, for checking it where it comes from another process: datagrams, acts, designs. They follow
 * kernel/machine.ts. Left out: machine snapshots, which only the machine itself understands.
 */
import { SIGNALS, type MachineAct } from "../kernel/index.ts";
import { isBytes, isCount, isFlag, isInteger, isText, listOf, mapOf, oneOf, shape, variants, type Check } from "./check.ts";
import { isDiskImage, isFileCall, isPiece } from "./file-shapes.ts";

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

const ofNic = { name: isText, net: isText, address: isText };

const bare = shape({ kind });
const ofUnit = shape({ kind, unit: isText });

/** Each kind of act has its shape here: one that is added to the type and not here does not compile. */
const acts: { readonly [K in MachineAct["kind"]]: Check } = {
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
  "nic-add": shape({ kind, nic: shape(ofNic, { prefix: isCount }) }, { place: isCount }),
  "nic-remove": shape({ kind, net: isText }),
  "nic-rename": shape({ kind, net: isText, to: isText }),
  "net-renamed": shape({ kind, net: isText, to: isText }),
  "disk-device": shape({ kind, fault: oneOf("none", "read-only", "io-error", "full"), commitMicros: isCount }),
  renamed: shape({ kind, name: isText }),
  "file-write": shape({ kind, path: isText, data: isBytes, append: isFlag }, { mode: isCount }),
  "file-mkdir": shape({ kind, path: isText, parents: isFlag }),
  "file-remove": shape({ kind, path: isText, recursive: isFlag }),
  "file-rename": shape({ kind, from: isText, to: isText }),
  "file-chmod": shape({ kind, path: isText, mode: isCount }),
  "file-touch": shape({ kind, path: isText }),
  file: shape({ kind, id: isText, call: isFileCall }, { session: isText }),
  "file-interrupt": shape({ kind, id: isText }),
  disk: shape({ kind, image: isDiskImage, chunks: listOf(isPiece) }),
  "session-open": shape({ kind, session: isText, terminal: isFlag, cwd: isText }, { line: isText }),
  "session-close": shape({ kind, session: isText }, { status: isCount }),
  "session-cd": shape({ kind, session: isText, cwd: isText }),
  "session-run": shape(
    { kind, session: isText, id: isText, argv: texts, cwd: isText },
    { env: mapOf(isText), process: isText, parent: isText, group: isFlag },
  ),
  "session-fork": shape({ kind, session: isText, id: isText }, { argv: texts, parent: isText, group: isFlag }),
  "session-exec": shape({ kind, session: isText, id: isText, argv: texts }),
  "session-exit": shape({ kind, session: isText, id: isText, status: isCount }),
  "session-kill": shape({ kind, session: isText, id: isText, pid: isInteger, signal: oneOf(...Object.keys(SIGNALS)) }),
};

export const isMachineAct: Check = variants("kind", acts);

/** What a machine is built from, apart from the fields that only some machines have. */
export const isMachineDesign: Check = shape(
  {
    kind: oneOf("node", "qnetd"),
    name: isText,
    hostname: isText,
    domain: isText,
    nics: listOf(shape(ofNic, { prefix: isCount })),
    hosts: listOf(shape({ address: isText, names: texts })),
    files: listOf(shape({ path: isText, data: isBytes }, { mode: isCount })),
    boot: isCount,
    disabledUnits: texts,
    power: oneOf("on", "off"),
  },
  { packages: texts },
);
