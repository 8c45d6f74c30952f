/**
 * tr: translates, deletes and squeezes bytes, chunk by chunk. Our own because just-bash (3.4.2) waits for the end of its input, so that nothing of
 * `journalctl -f | tr` is seen, works on characters, and knows no octal escape, no -t and no wrong set.
 */
import { posixClass } from "../../../engine/kernel/index.ts";
import { latin } from "../bytes.ts";
import type { Program } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 92 };

/** `[x*3]` and `[x*]` of a second set: a byte repeated, with no count as often as the first set needs. */
interface Repeat {
  byte: number;
  at: number;
}

/** The bytes a set stands for, in order. `fill`: how many the other set has, where `[x*]` may stand. */
function bytesOf(text: string, fill?: number): number[] {
  const out: number[] = [];
  let open: Repeat | undefined;
  const one = (at: number): { byte: number; next: number } => {
    if (text[at] !== "\\") return { byte: text.charCodeAt(at), next: at + 1 };
    const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1));
    if (octal) return { byte: Number.parseInt(octal[0], 8) & 255, next: at + 1 + octal[0].length };
    return { byte: ESCAPES[text.charAt(at + 1)] ?? text.charCodeAt(at + 1), next: at + 2 };
  };
  for (let at = 0; at < text.length;) {
    const named = /^\[:(\w+):\]/.exec(text.slice(at));
    if (named) {
      const known = posixClass(named[1] ?? "");
      if (!known) throw new UsageError(`invalid character class '${named[1]}'`);
      for (let byte = 0; byte < 128; byte++) if (known.test(String.fromCharCode(byte))) out.push(byte);
      at += named[0].length;
      continue;
    }
    const equivalent = /^\[=([^])=\]/.exec(text.slice(at));
    if (equivalent) {
      out.push(text.charCodeAt(at + 2));
      at += equivalent[0].length;
      continue;
    }
    const repeated = fill === undefined ? null : /^\[(\\[0-7]{1,3}|\\?[^])\*(\d*)\]/.exec(text.slice(at));
    if (repeated) {
      const [whole, , digits = ""] = repeated;
      const { byte } = one(at + 1);
      const count = Number.parseInt(digits, digits.startsWith("0") ? 8 : 10) || 0;
      if (count === 0) open = { byte, at: out.length };
      for (let n = 0; n < Math.min(count, 256); n++) out.push(byte);
      at += whole.length;
      continue;
    }
    const first = one(at);
    at = first.next;
    if (text[at] === "-" && at + 1 < text.length) {
      const last = one(at + 1);
      if (last.byte < first.byte)
        throw new UsageError(`range-endpoints of '${text.slice(at - 1, last.next)}' are in reverse collating sequence order`);
      for (let byte = first.byte; byte <= last.byte; byte++) out.push(byte);
      at = last.next;
    } else out.push(first.byte);
  }
  if (open) out.splice(open.at, 0, ...new Array<number>(Math.max(0, (fill ?? 0) - out.length)).fill(open.byte));
  return out;
}

export const tr: Program = async (run) => {
  const options = parseOptions(run.args, {
    flags: "dscCt",
    long: { delete: "d", "squeeze-repeats": "s", complement: "c", "truncate-set1": "t" },
    strict: true,
  });
  const [first, second, third] = options.operands;
  if (first === undefined) throw new UsageError("missing operand\nTry 'tr --help' for more information.");
  const needsTwo = !options.has("d") && !options.has("s");
  if (second === undefined && needsTwo)
    throw new UsageError(
      `missing operand after '${first}'\nTwo strings must be given when translating.\nTry 'tr --help' for more information.`,
    );
  const extra = options.has("d") && !options.has("s") ? second : third;
  if (extra !== undefined)
    throw new UsageError(
      `extra operand '${extra}'\n${extra === second ? "Only one string may be given when deleting without squeezing repeats.\n" : ""}Try 'tr --help' for more information.`,
    );
  let from = bytesOf(latin(first));
  if (options.has("c") || options.has("C")) {
    const without = new Set(from);
    from = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !without.has(byte));
  }
  const to = second === undefined ? undefined : bytesOf(latin(second), from.length);
  if (options.has("t") && to) from = from.slice(0, to.length);
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const drop = new Set(options.has("d") ? from : []);
  if (!options.has("d") && to) {
    if (to.length === 0) throw new UsageError("when not truncating set1, string2 must be non-empty");
    for (const [index, byte] of from.entries()) table[byte] = to[Math.min(index, to.length - 1)] ?? byte;
  }
  const squeeze = new Set(options.has("s") ? (to ?? from) : []);
  let last = -1;
  for (let chunk = await run.stdin.read(run.interrupt); chunk !== null; chunk = await run.stdin.read(run.interrupt)) {
    await run.system.step(run.interrupt);
    const out = new Uint8Array(chunk.length);
    let size = 0;
    for (const byte of chunk) {
      if (drop.has(byte)) continue;
      const made = table[byte] ?? byte;
      if (made === last && squeeze.has(made)) continue;
      out[size++] = last = made;
    }
    await run.out(out.subarray(0, size));
  }
  return 0;
};
