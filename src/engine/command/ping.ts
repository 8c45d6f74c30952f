/**
 * ping: echo requests over the lab's networks, on virtual time, and what came back. In the real stack: iputils' ping; the kernel of the other machine answers, whatever its processes do. Source: its output on
 * Debian 12. Left out: what ARP adds after three seconds (`Destination Host Unreachable`), times to live of routers, which a lab has none of, replies that come twice.
 */
import { HOSTS_PATH, NOT_RESOLVED, addressesOf, canonicalName, formatIp, parseIp } from "../config/index.ts";
import {
  ByteReader,
  ByteWriter,
  NEVER,
  cloneState,
  fromUtf8,
  readFileBytes,
  type Datagram,
  type Handled,
  type Hasher,
  type Instant,
  type Os,
  type Plain,
  type Program,
  type ProgramEvent,
  type Signal,
} from "../kernel/index.ts";
import { NAME, parsePing, type PingCall } from "./ping-call.ts";
import { printResult } from "./result.ts";
import type { Tool } from "./tool.ts";

/** From a packet to an address of this machine to its reply (observed: 50 to 90 µs). */
const LOCAL_US = 50;
/** Packets whose replies are still taken. */
const OUTSTANDING_MAX = 256;
const HEADERS = { 4: 28, 6: 0 };
/** What the real one's statistics forget of the past with every packet. */
const EWMA = 8;

type PingState = {
  call: PingCall;
  /** What the target is called, and in replies; "" there: by its address alone. */
  shown: string;
  named: string;
  address: string;
  family: 4 | 6;
  /** The own address and network; "" for an address of this machine. */
  src: string;
  net: string;
  startedAt: Instant;
  /** When something was last sent or received. */
  lastAt: Instant;
  sent: number;
  received: number;
  outstanding: { seq: number; at: Instant; replyAt: Instant }[];
  nextAt: Instant;
  endAt: Instant;
  min: number;
  max: number;
  sum: number;
  squares: number;
  ewma: number;
};

export class Ping implements Program {
  private s: PingState | undefined;

  constructor(
    private readonly os: Os,
    private readonly call: PingCall,
  ) {}

  start(): void {
    const target = this.target();
    if (typeof target === "string") {
      this.os.print("stderr", `${NAME}: ${target}\n`);
      this.os.exit({ code: 2 });
      return;
    }
    const { call, os } = this;
    const { address, family, shown } = target;
    const place = family === 4 ? ` (${address})` : target.named === "" ? `(${address})` : `(${target.named} (${address}))`;
    const size = family === 4 ? `${call.dataBytes}(${call.dataBytes + HEADERS[4]}) bytes of data.` : `${call.dataBytes} data bytes`;
    os.print("stdout", `PING ${shown}${place} ${size}\n`);
    const deadline = call.deadlineUs === 0 ? NEVER : os.now + call.deadlineUs;
    this.s = {
      ...{ call, ...target, startedAt: os.now, lastAt: os.now, sent: 0, received: 0, outstanding: [], nextAt: os.now, endAt: deadline },
      ...{ min: 0, max: 0, sum: 0, squares: 0, ewma: 0 },
    };
    if (target.src !== "") os.udp.bindEcho(target.src, os.pid);
    this.send(this.s);
  }

  /** Where the packets go, or why they cannot. */
  private target(): Pick<PingState, "shown" | "named" | "address" | "family" | "src" | "net"> | string {
    const { destination, family: wanted, numeric } = this.call;
    const literal = parseIp(destination);
    if (literal !== undefined && wanted !== 0 && literal.family !== wanted)
      return `${destination}: Address family for hostname not supported`;
    const hosts = fromUtf8(readFileBytes(this.os.files, HOSTS_PATH) ?? new Uint8Array(0));
    const families = wanted === 0 ? ([6, 4] as const) : [wanted];
    const found = literal === undefined ? addressesOf(hosts, destination) : [formatIp(literal)];
    const usable = families.flatMap((f) => found.filter((a) => a.includes(":") === (f === 6)));
    // Of several addresses the resolver prefers one that there is a way to.
    const address = usable.find((a) => this.isOwn(a) || this.os.route(a) !== undefined) ?? usable[0];
    if (address === undefined) return `${destination}: ${NOT_RESOLVED}`;
    const nic = this.isOwn(address) ? undefined : this.os.route(address);
    if (!this.isOwn(address) && nic?.up !== true) return "connect: Network is unreachable";
    const canonical = literal === undefined ? (canonicalName(hosts, address) ?? destination) : destination;
    const family = address.includes(":") ? 6 : 4;
    const named = literal === undefined && !numeric ? canonical : "";
    const shown = family === 6 ? destination : canonical;
    return { shown, named, address, family, src: nic?.address ?? "", net: nic?.net ?? "" };
  }

  private isOwn(address: string): boolean {
    return address.startsWith("127.") || address === "::1" || this.os.nics().some((n) => n.address === address);
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private send(s: PingState): void {
    const { now, pid } = this.os;
    s.sent++;
    s.lastAt = now;
    s.outstanding.push({ seq: s.sent, at: now, replyAt: s.src === "" ? now + LOCAL_US : NEVER });
    if (s.outstanding.length > OUTSTANDING_MAX) s.outstanding.shift();
    if (s.src !== "") {
      const bytes = new ByteWriter().u32(s.sent).done();
      const { net, src, address: dst } = s;
      this.os.udp.send({ proto: "icmp-echo", net, src, srcPort: pid, dst, dstPort: 0, bytes, wire: s.call.dataBytes });
    }
    if (s.call.count === 0 || s.sent < s.call.count) {
      s.nextAt = now + s.call.intervalUs;
      return;
    }
    // The last one: replies have twice the longest round trip, at least an interval, or the whole time-out where none has come yet.
    s.nextAt = NEVER;
    const linger = s.received > 0 ? Math.max(2 * s.max, s.call.intervalUs) : s.call.lingerUs;
    s.endAt = Math.min(s.endAt, now + linger);
  }

  private reply(s: PingState, seq: number): void {
    const asked = s.outstanding.find((o) => o.seq === seq);
    if (asked === undefined) return;
    s.outstanding = s.outstanding.filter((o) => o !== asked);
    const rtt = this.os.now - asked.at;
    s.lastAt = this.os.now;
    s.received++;
    s.min = s.received === 1 ? rtt : Math.min(s.min, rtt);
    s.max = Math.max(s.max, rtt);
    s.sum += rtt;
    s.squares += rtt * rtt;
    s.ewma = s.received === 1 ? rtt * EWMA : s.ewma + rtt - Math.floor(s.ewma / EWMA);
    const from = s.named === "" ? s.address : `${s.named} (${s.address})`;
    const line = `${s.call.dataBytes + 8} bytes from ${from}: icmp_seq=${seq} ttl=64 time=${timeText(rtt)} ms\n`;
    if (!s.call.quiet) this.os.print("stdout", line);
    if (s.call.count > 0 && s.received >= s.call.count) this.finish(s);
  }

  event(event: ProgramEvent): void {
    if (event.kind === "datagram" && this.s !== undefined) this.reply(this.s, sequenceOf(event.datagram));
  }

  nextTimerAt(): Instant {
    const { s } = this;
    if (s === undefined) return NEVER;
    return Math.min(s.nextAt, s.endAt, ...s.outstanding.map((o) => o.replyAt));
  }

  runTimer(now: Instant): void {
    const { s } = this;
    if (s === undefined) return;
    const local = s.outstanding.find((o) => o.replyAt <= now);
    if (local !== undefined) this.reply(s, local.seq);
    else if (s.endAt <= now) this.finish(s);
    else if (s.nextAt <= now) this.send(s);
  }

  // ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  handles(): Handled {
    return this.s === undefined ? [] : ["SIGINT", "SIGQUIT"];
  }

  signal(signal: Signal): void {
    const { s } = this;
    if (s === undefined) return;
    if (signal === "SIGINT") {
      this.finish(s);
      return;
    }
    const times = s.received > 0 ? `, min/avg/ewma/max = ${[s.min, mean(s), Math.floor(s.ewma / EWMA), s.max].map(ms).join("/")} ms` : "";
    this.os.print("stderr", `\r${s.received}/${s.sent} packets, ${lost(s)}% loss${times}\n`);
  }

  private finish(s: PingState): void {
    this.s = undefined;
    const head = `\n--- ${s.shown} ping statistics ---\n`;
    const time = Math.floor((s.lastAt - s.startedAt) / 1000);
    const counts = `${s.sent} packets transmitted, ${s.received} received, ${lost(s)}% packet loss, time ${time}ms\n`;
    const avg = mean(s);
    const exact = s.received > 0 ? s.sum / s.received : 0;
    const deviation = s.received > 0 ? Math.floor(Math.sqrt(Math.max(0, s.squares / s.received - exact * exact))) : 0;
    const times = s.received > 0 ? `rtt min/avg/max/mdev = ${[s.min, avg, s.max, deviation].map(ms).join("/")} ms\n` : "\n";
    this.os.print("stdout", head + counts + times);
    const failed = s.received === 0 || (s.call.deadlineUs > 0 && s.received < s.call.count);
    this.os.exit({ code: failed ? 1 : 0 });
  }

  snapshot(): Plain {
    return { s: this.s === undefined ? undefined : cloneState(this.s) } as unknown as Plain;
  }

  restore(saved: Plain): void {
    const { s } = saved as unknown as { s: PingState | undefined };
    this.s = s === undefined ? undefined : cloneState(s);
  }

  digest(h: Hasher): void {
    const { s } = this;
    h.int(s?.sent ?? 0)
      .int(s?.received ?? 0)
      .int(s?.nextAt ?? 0)
      .int(s?.endAt ?? 0)
      .text(s?.address ?? "");
  }
}

function sequenceOf({ bytes }: Datagram): number {
  return bytes.length === 4 ? new ByteReader(bytes).u32() : 0;
}

const lost = (s: PingState): number => (s.sent === 0 ? 0 : Math.floor(((s.sent - s.received) * 100) / s.sent));
const mean = (s: PingState): number => (s.received === 0 ? 0 : Math.floor(s.sum / s.received));

/** Microseconds as milliseconds with three places. */
function ms(us: number): string {
  return `${Math.floor(us / 1000)}.${String(us % 1000).padStart(3, "0")}`;
}

/** Of a reply: four digits, as far as there are so many. */
function timeText(us: number): string {
  if (us >= 99_950) return String(Math.floor((us + 500) / 1000));
  if (us >= 9_995) return `${Math.floor((us + 50) / 1000)}.${Math.floor(((us + 50) % 1000) / 100)}`;
  if (us >= 1_000) return `${Math.floor((us + 5) / 1000)}.${String(Math.floor(((us + 5) % 1000) / 10)).padStart(2, "0")}`;
  return ms(us);
}

export const ping: Tool = {
  name: NAME,
  summary: "is a host there, and how far away",
  options: [
    { flag: "-c", help: "stop after so many replies" },
    { flag: "-i", help: "seconds between packets" },
    { flag: "-W", help: "seconds to wait for a reply" },
    { flag: "-w", help: "seconds until it ends" },
    { flag: "-q", help: "only the statistics" },
    { flag: "-s", help: "bytes of data" },
    { flag: "-n", help: "no names" },
    { flag: "-4", help: "IPv4" },
    { flag: "-6", help: "IPv6" },
  ],
  *body(argv) {
    const call = parsePing(argv.slice(1));
    if (!("stdout" in call)) throw new Error("ping that runs is a program of its own");
    return yield* printResult(call);
  },
  endless: (argv) => {
    const call = parsePing(argv.slice(1));
    return "stdout" in call ? undefined : (os) => new Ping(os, call);
  },
};
