/** ping: its options, and what it says where it does not begin. In the real stack: iputils' ping of Debian 12. Left out, with a word: the options that are not here. */
import { getopt } from "../kernel/index.ts";
import { fail, notModelled, ok, type Result } from "./result.ts";

export const NAME = "ping";
const INT64_MAX = 9_223_372_036_854_775_807n;
/** Bytes of data in a packet at most: what IPv4 carries without its headers. */
const DATA_BYTES_MAX = 65_507;
const INTERVAL_MIN_US = 2_000;

const USAGE = `
Usage
  ping [options] <destination>

Options:
  <destination>      dns name or ip address
  -c <count>         stop after <count> replies
  -h                 print help and exit
  -i <interval>      seconds between sending each packet
  -n                 no dns name resolution
  -O                 report outstanding replies
  -q                 quiet output
  -s <size>          use <size> as number of data bytes to be sent
  -t <ttl>           define time to live
  -V                 print version and exit
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response

IPv4 options:
  -4                 use IPv4

IPv6 options:
  -6                 use IPv6

For more details see ping(8).
`;

export type PingCall = {
  readonly destination: string;
  /** 0: no end. */
  readonly count: number;
  readonly intervalUs: number;
  /** For the replies that are left after the last packet. */
  readonly lingerUs: number;
  /** From the beginning; 0: none. */
  readonly deadlineUs: number;
  readonly dataBytes: number;
  readonly quiet: boolean;
  readonly numeric: boolean;
  readonly family: 0 | 4 | 6;
};

const OPTIONS = "46c:hi:I:nOqs:t:vVw:W:aAbBCDde:fF:l:Lm:M:N:p:Q:RS:T:U";
/** Taken, and without an effect that the lab shows. */
const WITHOUT_EFFECT = "tvB";

interface Draft {
  count: number;
  intervalUs: number;
  lingerUs: number;
  deadlineUs: number;
  dataBytes: number;
  quiet: boolean;
  numeric: boolean;
  family: 0 | 4 | 6;
}

function whole(text: string, max: bigint): number | string {
  if (!/^[+-]?[0-9]+$/.test(text)) return `ping: invalid argument: '${text}'\n`;
  const value = BigInt(text);
  if (value < 1n || value > max) return `ping: invalid argument: '${text}': out of range: 1 <= value <= ${max}\n`;
  return Number(value);
}

function seconds(text: string): number | undefined {
  return /^[0-9]*\.?[0-9]+$|^[0-9]+\.$/.test(text) ? Math.round(Number(text) * 1_000_000) : undefined;
}

function apply(draft: Draft, name: string, value: string): Result | undefined {
  const take = (max: bigint, set: (n: number) => void): Result | undefined => {
    const n = whole(value, max);
    if (typeof n === "string") return fail(n);
    set(n);
    return undefined;
  };
  const time = (set: (us: number) => void): Result | undefined => {
    const us = seconds(value);
    if (us === undefined)
      return fail(`ping: option argument contains garbage: ${value}\nping: this will become fatal error in the future\n`, 2);
    set(us);
    return undefined;
  };
  switch (name) {
    case "c":
      return take(INT64_MAX, (n) => (draft.count = n));
    case "s":
      return value === "0" ? void (draft.dataBytes = 0) : take(BigInt(DATA_BYTES_MAX), (n) => (draft.dataBytes = n));
    case "w":
      return time((us) => (draft.deadlineUs = us));
    case "W":
      return time((us) => (draft.lingerUs = us));
    case "i":
      return time((us) => (draft.intervalUs = Math.max(us, INTERVAL_MIN_US)));
    case "q":
      draft.quiet = true;
      return undefined;
    case "n":
      draft.numeric = true;
      return undefined;
    case "4":
    case "6":
      draft.family = name === "4" ? 4 : 6;
      return undefined;
    case "h":
      return fail(USAGE, 2);
    case "V":
      return ok("ping from iputils 20221126\n");
    default:
      return WITHOUT_EFFECT.includes(name) ? undefined : notModelled(`${NAME} -${name}`);
  }
}

/** The call, or what is printed in its place. */
export function parsePing(args: readonly string[]): PingCall | Result {
  const draft: Draft = {
    ...{ count: 0, intervalUs: 1_000_000, lingerUs: 10_000_000, deadlineUs: 0, dataBytes: 56 },
    ...{ quiet: false, numeric: false, family: 0 },
  };
  const { options, operands, error } = getopt(NAME, args, OPTIONS);
  for (const { name, value } of options) {
    const answer = apply(draft, name, value);
    if (answer !== undefined) return answer;
  }
  if (error !== undefined) return fail(`${error}\n${USAGE}`, 2);
  const [destination, ...more] = operands;
  if (destination === undefined) return fail("ping: usage error: Destination address required\n");
  if (more.length > 0) return notModelled(`${NAME} by way of other hosts`);
  return { ...draft, destination };
}
