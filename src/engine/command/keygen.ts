/**
 * corosync-keygen: writes a key of random bytes. In the real stack: corosync-keygen(8), whose texts and exit statuses these are. The lab's key opens nothing outside the lab, so its bytes
 * come from the machine's name, the process and the instant. Left out: keys pressed on a keyboard, which 3.1.7 asks for where a random source ends.
 */
import { profileOf } from "../config/index.ts";
import { Rng, strerror, type Errno } from "../kernel/index.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import { contents, failed, file, print, self, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

const NAME = "corosync-keygen";
const KEY_BYTES = 256;
const KEY_BYTES_MIN = 128;
const KEY_BYTES_MAX = 4096;
const RANDOM = ["/dev/urandom", "/dev/random"];

const USAGE = `Usage: corosync-keygen [-k <keyfile>] [-s size] [-m <randomfile>] [-l] [-h]
     -k / --key-file=<filename> -  Write to the specified keyfile
            instead of the default /etc/corosync/authkey.
     -r / --random-file -  Random number source file. Default is 
            /dev/urandom. As an example /dev/random may be requested
            (that may require user input for entropy).
     -l / --less-secure - Not used, option is kept only
            for compatibility.
     -s / --size -  Length of key.
     -h / --help -  Print basic usage.

`;

interface Call {
  keyfile: string;
  source: string;
  bytes: number;
}

/** What is drawn on: the bytes, or the errno's name; undefined where the source has too few. */
function* drawn({ source, bytes }: Call): ToolPart<Uint8Array | Errno | undefined> {
  if (RANDOM.includes(source)) {
    const { hostname, pid, unixMicros } = yield* self();
    const rng = Rng.from(hostname, NAME, String(pid), String(unixMicros));
    return Uint8Array.from({ length: bytes }, () => rng.below(256));
  }
  if (source === "/dev/zero") return new Uint8Array(bytes);
  if (source === "/dev/null") return undefined;
  const read = yield* contents(source);
  if (!read.ok) return read.errno;
  return read.value === "data" && read.data.length >= bytes ? read.data.slice(0, bytes) : undefined;
}

/** As open with O_CREAT and O_TRUNC does it. */
function* written(path: string, data: Uint8Array): ToolPart<Errno | undefined> {
  const opened = yield* file({ call: "open", path, flags: { access: "w", create: true, truncate: true }, mode: 0o600 });
  if (!opened.ok) return opened.errno;
  if (opened.value !== "fd") return "EINVAL";
  const chmod = yield* file({ call: "chmod", path, mode: 0o400 });
  const wrote = yield* file({ call: "write", fd: opened.fd, data });
  yield* file({ call: "close", fd: opened.fd });
  return chmod.ok ? (wrote.ok ? undefined : wrote.errno) : chmod.errno;
}

function* body(argv: readonly string[]): ToolBody {
  const call: Call = { keyfile: "/etc/corosync/authkey", source: "/dev/urandom", bytes: KEY_BYTES };
  const { options, error } = getopt(NAME, argv.slice(1), "lk:s:r:h", ["key-file=", "random-file=", "less-secure", "size=", "help"]);
  for (const { name, value } of options) {
    if (name === "k" || name === "key-file") call.keyfile = value;
    else if (name === "r" || name === "random-file") call.source = value;
    else if (name === "s" || name === "size") {
      const bytes = wholeNumber(value, KEY_BYTES_MIN, KEY_BYTES_MAX);
      if (bytes === undefined) return yield* failed(`${NAME}: Unsupported key size (supported <${KEY_BYTES_MIN},${KEY_BYTES_MAX}>)\n`);
      call.bytes = bytes;
    } else if (name === "h" || name === "help") {
      yield* print(USAGE);
      return 0;
    }
  }
  if (error !== undefined) {
    yield* print("Error parsing command line options.\n");
    return yield* failed(`${error}\n`);
  }
  yield* print(`Corosync Cluster Engine Authentication key generator.\nGathering ${call.bytes * 8} bits for key from ${call.source}.\n`);
  const key = yield* drawn(call);
  if (key === undefined && profileOf((yield* self()).release).keygenEnds)
    return yield* failed(`${NAME}: Unexpected end of ${call.source}\n`);
  if (key === undefined) return yield* failed(`${NAME}: ${call.source} has too few bytes: not modelled in this lab\n`);
  if (typeof key === "string") return yield* failed(`${NAME}: Failed to open random source: ${strerror(key)}\n`);
  const errno = yield* written(call.keyfile, key);
  if (errno !== undefined) return yield* failed(`${NAME}: Could not create ${call.keyfile}: ${strerror(errno)}\n`, 2);
  yield* print(`Writing corosync key to ${call.keyfile}.\n`);
  return 0;
}

export const keygen: Tool = {
  name: NAME,
  summary: "make a key for the cluster's packets",
  options: [
    { flag: "-k", help: "file to write" },
    { flag: "-s", help: "length in bytes" },
    { flag: "-r", help: "random source" },
    { flag: "-l", help: "less secure (not used)" },
    { flag: "-h", help: "show help" },
  ],
  body,
};
