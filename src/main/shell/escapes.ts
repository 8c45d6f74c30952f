/** Backslash sequences of `echo -e`, `printf` and `$'…'`. */
import { byteChar, decode, encode, isText } from "./bytes.ts";

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  e: "\u001b",
  E: "\u001b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** Backslash sequences of `echo -e`, `printf` and `%b`. `\c` ends the text. */
export function unescape(text: string, inFormat: boolean): { text: string; ended: boolean } {
  let out = "";
  for (let at = 0; at < text.length; at++) {
    const c = text.charAt(at);
    if (c !== "\\" || at === text.length - 1) {
      out += c;
      continue;
    }
    const next = text.charAt(++at);
    const simple = SIMPLE[next];
    if (simple !== undefined) out += simple;
    else if (next === "c" && !inFormat) return { text: whole(out), ended: true };
    else {
      const rest = text.slice(at);
      const m = inFormat ? (/^[0-7]{1,3}/.exec(rest) ?? undefined) : (/^0[0-7]{0,3}/.exec(rest) ?? undefined);
      const hex = /^x([0-9a-fA-F]{1,2})|^u([0-9a-fA-F]{1,4})|^U([0-9a-fA-F]{1,8})/.exec(rest);
      if (m) {
        out += byteChar(Number.parseInt(m[0], 8) & 0xff);
        at += m[0].length - 1;
      } else if (hex) {
        const code = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "0", 16);
        out += hex[1] !== undefined ? byteChar(code) : characterOf(code);
        at += hex[0].length - 1;
      } else if (inFormat && (next === '"' || next === "'")) out += next;
      else out += `\\${next}`;
    }
  }
  return { text: whole(out), ended: false };
}

/** The character of `\u` and `\U`. Half of a surrogate pair is the three bytes of its number, as bash writes it, which are no text. */
function characterOf(code: number): string {
  if (code > 0x10ffff) return "\ufffd";
  if (code < 0xd800 || code > 0xdfff) return String.fromCodePoint(code);
  return byteChar(0xe0 | (code >> 12)) + byteChar(0x80 | ((code >> 6) & 0x3f)) + byteChar(0x80 | (code & 0x3f));
}

/** Bytes that are text together are text. */
export const whole = (text: string): string => (isText(text) ? text : decode(encode(text)));
