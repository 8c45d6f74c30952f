/**
 * IP addresses as text and bytes: what getaddrinfo takes for a literal, and how the daemon prints it back (inet_ntop). Left out: scope ids of
 * link-local addresses.
 */

export interface Ip {
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
}

/** A literal address, or undefined (then it is a host name). Also the short and octal forms of IPv4 that inet_aton takes. */
export function parseIp(text: string): Ip | undefined {
  return text.includes(":") ? parseIp6(text) : parseIp4(text);
}

function part4(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]{1,8}$/.test(text)) return parseInt(text.slice(2), 16);
  if (/^0[0-7]{0,11}$/.test(text)) return parseInt(text, 8);
  return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
}

function parseIp4(text: string): Ip | undefined {
  const parts = text.split(".");
  if (parts.length > 4) return undefined;
  const numbers: number[] = [];
  for (const part of parts) {
    const n = part4(part);
    if (n === undefined) return undefined;
    numbers.push(n);
  }
  const last = numbers.pop() ?? 0;
  let room = 4_294_967_296;
  for (const n of numbers) {
    if (n > 255) return undefined;
    room /= 256;
  }
  if (last >= room) return undefined;
  let value = last;
  let scale = 16_777_216;
  for (const n of numbers) {
    value += n * scale;
    scale /= 256;
  }
  return {
    family: 4,
    bytes: [Math.floor(value / 16_777_216), Math.floor(value / 65_536) % 256, Math.floor(value / 256) % 256, value % 256],
  };
}

/** Groups of one side of `::`, as bytes. */
function groups6(text: string): number[] | undefined {
  if (text === "") return [];
  const out: number[] = [];
  const parts = text.split(":");
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? "";
    if (part.includes(".") && i === parts.length - 1) {
      if (!/^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}$/.test(part)) return undefined;
      const four = parseIp4(part);
      if (four === undefined) return undefined;
      out.push(...four.bytes);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      const n = parseInt(part, 16);
      out.push(n >>> 8, n & 255);
    } else return undefined;
  }
  return out;
}

function parseIp6(text: string): Ip | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const head = groups6(sides[0] ?? "");
  const tail = sides.length === 2 ? groups6(sides[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const zeros: number[] = new Array<number>(missing).fill(0);
  return { family: 6, bytes: [...head, ...zeros, ...tail] };
}

export function formatIp(ip: Ip): string {
  if (ip.family === 4) return ip.bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((ip.bytes[i] ?? 0) * 256 + (ip.bytes[i + 1] ?? 0));
  // the longest run of two or more zero groups becomes `::`, the first of equals
  let best = 0;
  let bestAt = -1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > best && n > 1) {
      best = n;
      bestAt = i;
    }
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(":");
  return bestAt < 0 ? hex(0, 8) : `${hex(0, bestAt)}::${hex(bestAt + best, 8)}`;
}

/** The network of an address with a prefix length, as `10.0.0.0/24`. */
export function networkOf(ip: Ip, prefix: number): string {
  const bytes = ip.bytes.map((b, i) => {
    const bits = Math.max(0, Math.min(8, prefix - i * 8));
    return b & (0xff00 >> bits) & 0xff;
  });
  return `${formatIp({ family: ip.family, bytes })}/${prefix}`;
}
