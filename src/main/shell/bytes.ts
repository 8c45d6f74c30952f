/**
 * Text and bytes of a shell. A string holds any bytes: what is UTF-8 is text, and a byte that is not stands as one lone surrogate (U+DC80 + its value
 * above 127), as Python's surrogateescape has it, so that what goes in comes out the same.
 */

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Of byte 0x80; U+DCFF is byte 0xFF. */
const ESCAPED = 0xdc80;

/** No byte in it stands for itself alone. */
export const isText = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** For whoever takes text alone: a byte that is none becomes the replacement character. */
export const textOf = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd");

/** The character that stands for a byte that is no text. */
export function byteChar(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : ESCAPED - 0x80 + byte);
}

/** The bytes of a string. */
export function encode(text: string): Uint8Array {
  if (isText(text)) return encoder.encode(text);
  const parts: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code >= ESCAPED && code < ESCAPED + 0x80) parts.push(code - ESCAPED + 0x80);
    else for (const byte of encoder.encode(char)) parts.push(byte);
  }
  return Uint8Array.from(parts);
}

/** The length of a UTF-8 sequence by its first byte; 0 where none begins so. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/** The string of bytes. */
export function decode(data: Uint8Array): string {
  try {
    return strict.decode(data);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  let out = "";
  let plain = 0;
  for (let at = 0; at < data.length;) {
    const length = sequenceLength(data[at] ?? 0);
    if (length > 0 && at + length <= data.length && isSequence(data, at, length)) {
      at += length;
      continue;
    }
    out += strict.decode(data.subarray(plain, at)) + byteChar(data[at] ?? 0);
    plain = ++at;
  }
  return out + strict.decode(data.subarray(plain));
}

function isSequence(data: Uint8Array, at: number, length: number): boolean {
  for (let n = 1; n < length; n++) if (((data[at + n] ?? 0) & 0xc0) !== 0x80) return false;
  const [first = 0, second = 0] = [data[at], data[at + 1]];
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second < 0xa0;
  if (first === 0xf0) return second >= 0x90;
  return first !== 0xf4 || second < 0x90;
}

/** One character a byte: for tools that count bytes. */
export const latin = (text: string): string => Buffer.from(encode(text)).toString("latin1");
