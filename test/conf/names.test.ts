/** What may stand for an address: literals as getaddrinfo takes them, and names. Verdicts of corosync 3.1.7 on a host whose resolver knows none of the names. */
import { describe, expect, test } from "vitest";
import { checkConf, formatIp, isHostName, parseConf, parseIp, verifyConf } from "../../src/engine/config/index.ts";
import { goodConf, node1, replace } from "./good.ts";

const second = (written: string): string => replace(goodConf(2), "10.10.0.2", written);
const errors = (text: string): string[] =>
  checkConf(text)
    .filter((f) => f.severity === "error")
    .map((f) => f.text);

describe("taken", () => {
  test.each("10.0.0|10.0.0.012|1|0x0a|00000000000000000012|0x000000000a00000c|0|10.16777215|10.0.0.0x10|4294967295|127.0.0.1".split("|"))(
    "%s",
    (written) => {
      expect(verifyConf(parseConf(second(written)), node1).ok).toBe(true);
      expect(errors(second(written))).toEqual([]);
    },
  );

  test.each(["pve2", "ha-2", "pve2.example.com", "a_b", "pve2.", "node-2.lab2", "x1.2y"])("%s, where it resolves", (written) => {
    expect(isHostName(written)).toBe(true);
    expect(errors(second(written))).toEqual([]);
    expect(verifyConf(parseConf(second(written)), node1).ok).toBe(false);
    expect(verifyConf(parseConf(second(written)), { ...node1, resolve: (name) => (name === written ? ["10.10.0.2"] : []) }).ok).toBe(true);
  });
});

describe("refused by the checker and by a start alike", () => {
  test.each(
    (
      '10.0.0.256|10.0.0.11/24|"10.0.0.12"|<NODE>|$PVE2_IP|10.0.0.12,|10.0.0.12;|10.0.0.12:5405|10.0.0.12 10.0.0.13|[2001:db8::12]|10.0.0.12 # second|' +
      "10.0.0.12.|10.0.0.l2|08|0x|4294967296|10.16777216|10.0.65536|+1|-1|10.-1.0.1|10.0.0.1e1|a b|a,b|a/b|*|ü|.5|10,0.0.2|fe80::1%|2001:db8::1%lo|1::2::3|12345::|:::|" +
      "::ffff:1.2.3.04|1:2:3:4:5:6:7:8::|a..b|10.0.0.12\\\\"
    ).split("|"),
  )("%s", (written) => {
    const told = `failed to parse node address '${written}'`;
    const verdict = verifyConf(parseConf(second(written)), node1);
    expect(verdict.messages[0]?.text).toBe(told);
    expect(verdict.ok ? 0 : verdict.exitCode).toBe(8);
    expect(errors(second(written))).toEqual([told]);
  });
});

describe("printed as inet_ntop does", () => {
  test.each([
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
    ["::1.2.3.4", "::1.2.3.4"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["FE80::A", "fe80::a"],
    ["10.0.0.012", "10.0.0.10"],
    ["::", "::"],
    ["::1", "::1"],
  ])("%s", (written, printed) => {
    const ip = parseIp(written);
    expect(ip && formatIp(ip)).toBe(printed);
  });
});
