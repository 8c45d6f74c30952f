/**
 * What libknet says of the ping timers that Totem asks for, link by link. In the real stack: knet_link_set_ping_timers, which newer versions of libknet let fail. Sources: kronosnet 1.35 with such
 * timers at a start and at a reload. Left out: the precision, which is always taken.
 */
import type { LinkParams } from "./link.ts";

/** libknet: KNET_THREADS_TIMERES, what its threads look at their timers with. */
const THREAD_TIMER_RES_MS = 200;

type Level = "warning" | "error";

export interface TimersSaid {
  /** They are not taken. */
  readonly refused: boolean;
  readonly lines: readonly (readonly [Level, string, string])[];
}

type Asked = Pick<LinkParams, "link" | "pingIntervalMs" | "pingTimeoutMs">;

export function shortTimeout({ pingTimeoutMs }: Asked): boolean {
  return pingTimeoutMs < THREAD_TIMER_RES_MS;
}

/** What is said of the timers of a link to a host. */
export function timersSaid(host: number, asked: Asked): TimersSaid {
  const { link, pingIntervalMs: interval, pingTimeoutMs: timeout } = asked;
  const of = `link: host: ${host} link: ${link}`;
  const lines: [Level, string, string][] = [];
  if (interval < THREAD_TIMER_RES_MS) {
    const text = `interval: ${interval} too small (Success). interval lower than thread_timer_res (${THREAD_TIMER_RES_MS} ms) has no effect`;
    lines.push(["warning", "KNET", `${of} ${text}`]);
  }
  const refused = shortTimeout(asked);
  if (refused) {
    const text = `pong timeout: ${timeout} too small (Invalid argument). timeout cannot be less than thread_timer_res (${THREAD_TIMER_RES_MS} ms)`;
    lines.push(["error", "KNET", `${of} ${text}`]);
  }
  return { refused, lines };
}
