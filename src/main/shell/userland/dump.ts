/**
 * Dumps of bytes: od, xxd and hexdump. Our own because just-bash (3.4.2) has no xxd, and its od prints octal bytes whatever type is asked for, knows
 * neither -A, -N, -j nor -w with a value, and does not shorten equal lines.
 */
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { concat } from "../streams.ts";

const INPUT_MAX = 1 << 26;

async function inputBytes(run: Run, paths: readonly string[]): Promise<Uint8Array> {
  if (paths.length === 0) return run.stdin.readAll(run.interrupt, INPUT_MAX);
  const parts: Uint8Array[] = [];
  for (const path of paths) parts.push(await run.bytes(path));
  return concat(parts);
}

interface Format {
  /** Bytes of one item. */
  size: number;
  width: number;
  show: (bytes: Uint8Array) => string;
}

const CHARACTERS: Readonly<Record<number, string>> = { 0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r" };

const little = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

function format(type: string): Format {
  const m = /^([acdoux])([1248CSIL])?(z)?$/.exec(type);
  if (!m) throw new UsageError(`invalid type string '${type}'`);
  const kind = m[1] ?? "o";
  if (kind === "c" || kind === "a") {
    return {
      size: 1,
      width: 4,
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
      show: (bytes) =>
        little(bytes)
          .toString(8)
          .padStart(width - 1, "0"),
    };
  return { size, width, show: (bytes) => (kind === "d" ? BigInt.asIntN(bits, little(bytes)) : little(bytes)).toString() };
}

async function od(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "bcdoxv",
    values: "AtNjw",
    long: { "address-radix": "A", format: "t", "read-bytes": "N", "skip-bytes": "j", width: "w" },
  });
  const radix = options.value("A") ?? "o";
  if (!/^[doxn]$/.test(radix)) throw new UsageError(`invalid output address radix '${radix}'; it must be one character from [doxn]`);
  const short: Readonly<Record<string, string>> = { b: "o1", c: "c", d: "u2", o: "o2", x: "x2" };
  const types = [
    ...options.all("t").flatMap((text) => text.match(/[acdoux][1248CSIL]?z?/g) ?? [text]),
    ...[..."bcdox"].filter((l) => options.has(l)).map((l) => short[l] ?? "o2"),
  ];
  const formats = (types.length > 0 ? types : ["o2"]).map(format);
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
    const lines = formats.map((f) => itemLine(f, row));
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

function itemLine(f: Format, row: Uint8Array): string {
  let out = "";
  for (let at = 0; at < row.length; at += f.size) {
    const item = new Uint8Array(f.size);
    item.set(row.subarray(at, at + f.size));
    out += f.show(item).padStart(f.width);
  }
  return out;
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
  for (let at = 0; at < data.length; at += perLine) {
    await run.system.step(run.interrupt);
    const row = data.subarray(at, at + perLine);
    if (options.has("p")) await run.out(`${hex(row)}\n`);
    else {
      const groups = (hex(row).match(/.{1,4}/g) ?? []).join(" ");
      const shown = [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
      await run.out(`${(at + skip).toString(16).padStart(8, "0")}: ${groups.padEnd(Math.ceil(perLine / 2) * 5 - 1)}  ${shown}\n`);
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
    const shown = [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    await run.out(`${at.toString(16).padStart(8, "0")}  ${left}  ${right}  |${shown}|\n`);
  }
  if (data.length > 0) await run.out(`${data.length.toString(16).padStart(8, "0")}\n`);
  return 0;
}
