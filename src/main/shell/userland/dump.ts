/**
 * Dumps of bytes: od, xxd and hexdump. Our own because just-bash (3.4.2) has no xxd, and its od prints octal bytes whatever type is asked for, knows
 * neither -A, -N, -j nor -w with a value, and does not shorten equal lines.
 */
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { FileError } from "../files.ts";
import { concat } from "../streams.ts";

const INPUT_MAX = 1 << 26;

async function inputBytes(run: Run, paths: readonly string[]): Promise<Uint8Array> {
  if (paths.length === 0) return run.stdin.readAll(run.interrupt, INPUT_MAX);
  const parts: Uint8Array[] = [];
  for (const path of paths) {
    try {
      parts.push(await run.bytes(path));
    } catch (error) {
      if (error instanceof FileError) throw new UsageError(`${path}: ${error.message}`, run.name === "xxd" ? 2 : 1);
      throw error;
    }
  }
  return concat(parts);
}

interface Format {
  /** Bytes of one item. */
  size: number;
  /** Columns of one item, the blank before it included. */
  width: number;
  /** The characters stand behind. */
  readable: boolean;
  show: (bytes: Uint8Array) => string;
}

const CHARACTERS: Readonly<Record<number, string>> = { 0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r" };

/** `-t a`: the names of the characters that show nothing, without their high bit. */
const NAMES: Readonly<Record<number, string>> = {
  ..."nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp".split(" "),
  127: "del",
};

const little = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

function format(type: string): Format {
  const m = /^([acdoux])([1248CSIL])?(z)?$/.exec(type);
  if (!m) throw new UsageError(`invalid type string '${type}'`);
  const kind = m[1] ?? "o";
  const readable = m[3] === "z";
  if (kind === "a") return { size: 1, width: 4, readable, show: ([byte = 0]) => NAMES[byte & 127] ?? String.fromCharCode(byte & 127) };
  if (kind === "c") {
    return {
      size: 1,
      width: 4,
      readable,
      show: ([byte = 0]) => CHARACTERS[byte] ?? (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(8).padStart(3, "0")),
    };
  }
  const sizes: Readonly<Record<string, number>> = { C: 1, S: 2, I: 4, L: 8 };
  const size = sizes[m[2] ?? ""] ?? Number(m[2] ?? "4");
  const bits = size * 8;
  if (kind === "x")
    return {
      size,
      width: size * 2 + 1,
      readable,
      show: (bytes) =>
        little(bytes)
          .toString(16)
          .padStart(size * 2, "0"),
    };
  const digits: Readonly<Record<string, Readonly<Record<number, number>>>> = {
    o: { 1: 3, 2: 6, 4: 11, 8: 22 },
    u: { 1: 3, 2: 5, 4: 10, 8: 20 },
    d: { 1: 4, 2: 6, 4: 11, 8: 20 },
  };
  const width = (digits[kind]?.[size] ?? 11) + 1;
  if (kind === "o")
    return {
      size,
      width,
      readable,
      show: (bytes) =>
        little(bytes)
          .toString(8)
          .padStart(width - 1, "0"),
    };
  return { size, width, readable, show: (bytes) => (kind === "d" ? BigInt.asIntN(bits, little(bytes)) : little(bytes)).toString() };
}

async function od(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "abcdiosxv",
    values: "AtNjw",
    long: { "address-radix": "A", format: "t", "read-bytes": "N", "skip-bytes": "j", width: "w" },
  });
  const radix = options.value("A") ?? "o";
  if (!/^[doxn]$/.test(radix)) throw new UsageError(`invalid output address radix '${radix}'; it must be one character from [doxn]`);
  const short: Readonly<Record<string, string>> = { a: "a", b: "o1", c: "c", d: "u2", i: "d4", o: "o2", s: "d2", x: "x2" };
  const types = [
    ...options.all("t").flatMap((text) => text.match(/[acdoux][1248CSIL]?z?/g) ?? [text]),
    ...[..."abcdiosx"].filter((l) => options.has(l)).map((l) => short[l] ?? "o2"),
  ];
  const formats = aligned((types.length > 0 ? types : ["o2"]).map(format));
  const all = await inputBytes(run, options.operands);
  const skip = Number(options.value("j") ?? "0");
  const limit = options.value("N");
  const data = all.subarray(skip, limit === undefined ? undefined : skip + Number(limit));
  const perLine = Number(options.value("w") ?? "16") || 16;
  const address = (at: number): string =>
    radix === "n" ? "" : at.toString(radix === "d" ? 10 : radix === "x" ? 16 : 8).padStart(radix === "x" ? 6 : 7, "0");
  let previous = "";
  let starred = false;
  for (let at = 0; at < data.length; at += perLine) {
    await run.system.step(run.interrupt);
    const row = data.subarray(at, at + perLine);
    const lines = formats.map((f) => itemLine(f, row, perLine));
    const same = lines.join("\n");
    if (same === previous && row.length === perLine && at + perLine < data.length && !options.has("v")) {
      if (!starred) await run.out("*\n");
      starred = true;
      continue;
    }
    previous = same;
    starred = false;
    for (const [index, line] of lines.entries())
      await run.out(`${index === 0 ? address(at + skip) : " ".repeat(address(0).length)}${line}\n`);
  }
  if (radix !== "n") await run.out(`${address(data.length + skip)}\n`);
  return 0;
}

/** Several formats stand under each other: a byte takes as many columns in all of them. */
function aligned(formats: readonly Format[]): Format[] {
  const perByte = Math.max(...formats.map((f) => f.width / f.size));
  return formats.map((f) => ({ ...f, width: Math.ceil(perByte * f.size) }));
}

const printable = (row: Uint8Array): string =>
  [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");

function itemLine(f: Format, row: Uint8Array, perLine: number): string {
  let out = "";
  for (let at = 0; at < row.length; at += f.size) {
    const item = new Uint8Array(f.size);
    item.set(row.subarray(at, at + f.size));
    out += f.show(item).padStart(f.width);
  }
  return f.readable ? `${out.padEnd((f.width * perLine) / f.size)}  >${printable(row)}<` : out;
}

async function xxd(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "pru", values: "lscg" });
  const all = await inputBytes(run, options.operands);
  if (options.has("r")) {
    const text = Buffer.from(all).toString("latin1");
    const digits = options.has("p") ? text : text.replace(/^[0-9a-fA-F]+:((?: ?[0-9a-fA-F]{2,})+).*$/gm, "$1");
    await run.out(Buffer.from(digits.replace(/[^0-9a-fA-F]/g, ""), "hex"));
    return 0;
  }
  const skip = Number(options.value("s") ?? "0");
  const limit = options.value("l");
  const data = all.subarray(skip, limit === undefined ? undefined : skip + Number(limit));
  const hex = (bytes: Uint8Array): string =>
    options.has("u") ? Buffer.from(bytes).toString("hex").toUpperCase() : Buffer.from(bytes).toString("hex");
  const perLine = Number(options.value("c") ?? (options.has("p") ? "30" : "16")) || 16;
  const group = Number(options.value("g") ?? "2") || perLine;
  for (let at = 0; at < data.length; at += perLine) {
    await run.system.step(run.interrupt);
    const row = data.subarray(at, at + perLine);
    if (options.has("p")) await run.out(`${hex(row)}\n`);
    else {
      const groups = [];
      for (let n = 0; n < row.length; n += group) groups.push(hex(row.subarray(n, n + group)));
      const width = perLine * 2 + Math.ceil(perLine / group) - 1;
      await run.out(`${(at + skip).toString(16).padStart(8, "0")}: ${groups.join(" ").padEnd(width)}  ${printable(row)}\n`);
    }
  }
  return 0;
}

export const dumps: [string, Program][] = [
  ["od", od],
  ["xxd", xxd],
  [
    "hexdump",
    async (run) => {
      if (run.args[0] !== "-C") return run.fail("only -C is modelled in this lab");
      return hexdump(run);
    },
  ],
];

async function hexdump(run: Run): Promise<number> {
  const data = await inputBytes(run, run.args.slice(1));
  for (let at = 0; at < data.length; at += 16) {
    await run.system.step(run.interrupt);
    const row = data.subarray(at, at + 16);
    const cells = [...row].map((byte) => byte.toString(16).padStart(2, "0"));
    const left = cells.slice(0, 8).join(" ").padEnd(23);
    const right = cells.slice(8).join(" ").padEnd(23);
    await run.out(`${at.toString(16).padStart(8, "0")}  ${left}  ${right}  |${printable(row)}|\n`);
  }
  if (data.length > 0) await run.out(`${data.length.toString(16).padStart(8, "0")}\n`);
  return 0;
}
