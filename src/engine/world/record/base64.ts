/** Bytes as base64 text for the record, in pure code so that every host writes the same. RFC 4648 with padding; nothing else. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** By character code; 255: none of the alphabet. */
const VALUE = new Uint8Array(256).fill(255);
for (let i = 0; i < ALPHABET.length; i++) VALUE[ALPHABET.charCodeAt(i)] = i;

export function toBase64(data: Uint8Array): string {
  let out = "";
  for (let i = 0; i < data.length; i += 3) {
    const [a, b, c] = [data[i] ?? 0, data[i + 1], data[i + 2]];
    const word = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    out += ALPHABET.charAt(word >>> 18) + ALPHABET.charAt((word >>> 12) & 63);
    out += (b === undefined ? "=" : ALPHABET.charAt((word >>> 6) & 63)) + (c === undefined ? "=" : ALPHABET.charAt(word & 63));
  }
  return out;
}

/** Undefined where the text is no base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const length = text.length - padding;
  if (text.length % 4 !== 0) return undefined;
  const out = new Uint8Array(Math.floor((length * 3) / 4));
  let [word, bits, n] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    const v = VALUE[text.charCodeAt(i)] ?? 255;
    if (v === 255) return undefined;
    word = ((word << 6) | v) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[n++] = (word >>> bits) & 0xff;
  }
  return out;
}
