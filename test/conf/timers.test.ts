/**
 * Effective timers. What a daemon runs with follows from the file and the number of nodes in it. The table is the one operators know; the dumps are
 * of running daemons (runtime.config.totem.*).
 */
import { describe, expect, test } from "vitest";
import { effectiveTotem, parseConf, pingTimers } from "../../src/engine/config/index.ts";
import { goodConf, replace, withKey } from "./good.ts";

function timers(text: string): Record<string, number> {
  const { values } = parseConf(text);
  const t = effectiveTotem(values);
  const ping = pingTimers(values, 0, t.tokenMs);
  return {
    token: t.tokenMs,
    retransmit: t.tokenRetransmitMs,
    hold: t.holdMs,
    consensus: t.consensusMs,
    warning: Math.floor((t.tokenMs * t.tokenWarningPercent) / 100),
    pingInterval: ping.pingIntervalMs,
    pingTimeout: ping.pingTimeoutMs,
  };
}

const totem = (nodes: number, ...lines: string[]): string => lines.reduce((text, line) => withKey(text, "totem", line), goodConf(nodes));

describe("a file without timers", () => {
  test.each([
    [1, 3000, 714, 561, 3600, 2250, 750, 1500],
    [2, 3000, 714, 561, 3600, 2250, 750, 1500],
    [3, 3650, 869, 685, 4380, 2737, 912, 1825],
    [4, 4300, 1023, 808, 5160, 3225, 1075, 2150],
    [5, 4950, 1178, 932, 5940, 3712, 1237, 2475],
    [8, 6900, 1642, 1303, 8280, 5175, 1725, 3450],
    [16, 12100, 2880, 2294, 14520, 9075, 3025, 6050],
  ])("with %i nodes", (nodes, token, retransmit, hold, consensus, warning, pingInterval, pingTimeout) => {
    expect(timers(goodConf(nodes))).toEqual({ token, retransmit, hold, consensus, warning, pingInterval, pingTimeout });
  });
});

describe("a file with timers", () => {
  test("token is a base: the coefficient is added on top from three nodes on", () => {
    expect(timers(totem(3, "token: 5000"))).toMatchObject({ token: 5650, retransmit: 1345, hold: 1066, consensus: 6780 });
    expect(timers(totem(2, "token: 5000"))).toMatchObject({ token: 5000 });
  });

  test("the coefficient of clusters that pvecm makes", () => {
    expect(timers(totem(16, "token_coefficient: 125"))).toMatchObject({ token: 4750, consensus: 5700 });
    expect(timers(totem(16, "token_coefficient: 0"))).toMatchObject({ token: 3000 });
  });

  test("0 means the default, but for the coefficient and the warning", () => {
    const zeros = totem(3, "token: 0", "hold: 0", "join: 0", "consensus: 0", "token_retransmit: 0", "token_warning: 0");
    expect(timers(zeros)).toMatchObject({ token: 3650, retransmit: 869, hold: 685, consensus: 4380, warning: 0 });
  });

  test("pings: the pong count divides the token timeout, given values stand", () => {
    const five = parseConf(replace(totem(3, "token: 5000"), "linknumber: 0", "linknumber: 0\n    knet_pong_count: 5")).values;
    expect(pingTimers(five, 0, 5650)).toEqual({ pongCount: 5, pingIntervalMs: 565, pingTimeoutMs: 1130, pingPrecision: 2048 });
    const given = parseConf(replace(totem(3, "token: 5001"), "linknumber: 0", "linknumber: 0\n    knet_ping_timeout: 700")).values;
    expect(pingTimers(given, 0, 5651)).toMatchObject({ pingIntervalMs: 1412, pingTimeoutMs: 700 });
  });

  test("the daemon computes consensus in single precision", () => {
    expect(timers(totem(3, "token: 33554433"))).toMatchObject({ token: 33_555_083, consensus: 40_266_100, hold: 6_391_434 });
    expect(timers(totem(3, "token: 2000000001"))).toMatchObject({ token: 2_000_000_651, consensus: 2_147_483_648 });
  });

  test("without a ring0_addr in the first entry nothing is added", () => {
    expect(timers(replace(goodConf(3), "ring0_addr", "ring1_addr", "all"))).toMatchObject({ token: 3000, consensus: 3600 });
  });

  test("a timer set by a dotted name is text, and not seen", () => {
    expect(timers(`${goodConf(2)}totem.token: 9000\n`)).toMatchObject({ token: 3000 });
  });
});
