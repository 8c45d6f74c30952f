/**
 * IP addresses as text and bytes: what getaddrinfo takes for a literal, how the daemon prints it back (inet_ntop), and what else could be the name of a host. Left out: what a
 * scope behind an IPv6 address leads to.
 */

export interface Ip {
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
}

/** A literal address, or undefined for anything else. Also the short and octal forms of IPv4 that inet_aton takes. */
export function parseIp(text: string): Ip | undefined {
  return text.includes(":") ? parseIp6(text) : parseIp4(text);
}

function part4(text: string): number | undefined {
  if (/^0[xX]0*[0-9a-fA-F]{1,8}$/.test(text)) return parseInt(text.slice(2), 16);
  if (/^0+[0-7]{0,11}$/.test(text)) return parseInt(text, 8);
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

/** The name of an interface, as the kernel takes one. */
const INTERFACE_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,14}$/;

/**
 * Like parseIp, with a scope behind an IPv6 address as getaddrinfo takes it: a number with any address, the name of an interface with those of one link alone. Whether there is
 * such an interface is the host's business.
 */
export function parseScopedIp(text: string): Ip | undefined {
  const at = text.indexOf("%");
  if (at < 0) return parseIp(text);
  const ip = text.includes(":") ? parseIp6(text.slice(0, at)) : undefined;
  if (ip === undefined) return undefined;
  const scope = text.slice(at + 1);
  if (/^[0-9]{1,9}$/.test(scope)) return ip;
  const [first = 0, second = 0] = ip.bytes;
  const ofLink = (first === 0xfe && (second & 0xc0) === 0x80) || (first === 0xff && (second & 0x0f) === 0x02);
  return ofLink && INTERFACE_NAME.test(scope) ? ip : undefined;
}

/** Bytes of a host name in the DNS, and of one of its labels. */
const HOST_NAME_MAX = 253;
const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Whether a file may call a host so: labels of a to z, digits, hyphens and underscores. What ends in a number, or begins like an address of four numbers, was meant to be an
 * address and is a wrong one. A host's own /etc/hosts may hold more than that; who reads a file away from its hosts must not count on it.
 */
export function isHostName(text: string): boolean {
  const labels = text.split(".");
  if (labels.length > 1 && labels[labels.length - 1] === "") labels.pop();
  if (text.length > HOST_NAME_MAX || !labels.every((label) => LABEL.test(label))) return false;
  if (/^([0-9]+|0[xX][0-9a-fA-F]*)$/.test(labels[labels.length - 1] ?? "")) return false;
  return !/^[0-9]+\.[0-9]+\.[0-9]+\./.test(text);
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
  // an IPv4 address in it is printed as one
  if (bestAt === 0 && (best === 6 || (best === 5 && groups[5] === 0xffff)))
    return `::${best === 5 ? "ffff:" : ""}${ip.bytes.slice(12).join(".")}`;
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
