/**
 * Files with one change each, and the real `corosync -t`. Its verdict and its words are the lab's own, on a node and in `conf check`, which sees no host. In the nightly run there are
 * thousands of them, from another seed each day.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noRealHosts, RealHosts } from "./real-hosts.ts";
import { hostHere, ofTheHost, realVerdicts, refusalsHere, verdictHere } from "./real-verdicts.ts";
import { BASES, node1Addresses, oneChange } from "./variants.ts";

const why = noRealHosts();
if (why !== undefined) console.log(`variants of corosync.conf: skipped, ${why} (they are shown to a real corosync, as root on Debian)`);

const KEY = "/etc/corosync/authkey";
const LONG = process.env["QUORATE_LONG"] === "1";
const COUNT = LONG ? 5000 : 300;
const SEED = LONG ? Math.floor(Date.now() / 86_400_000) : 300;

describe.skipIf(why !== undefined)("beside the real reader", () => {
  let hosts: RealHosts;

  beforeAll(() => {
    hosts = new RealHosts([{ name: "node1", addresses: node1Addresses.map((a) => `${a}/24`) }]);
    hosts.write("node1", KEY, "k".repeat(256), "0400");
  }, 60_000);

  afterAll(async () => hosts.close());

  test(`${COUNT} files with one change each, of ${BASES.length} that stand (seed ${SEED})`, { timeout: LONG ? 3_600_000 : 240_000 }, () => {
    const files = [...BASES, ...fc.sample(oneChange, { numRuns: COUNT, seed: SEED })];
    const host = hostHere("node1", node1Addresses, KEY);
    const all = realVerdicts(hosts, "node1", files);
    expect(all.slice(0, BASES.length).map((said) => said.status)).toEqual(BASES.map(() => 0));
    let refused = 0;
    all.forEach((real, i) => {
      const text = files[i] ?? "";
      const here = verdictHere(text, host);
      // told to say nothing it says nothing
      const silent = text.includes("to_stderr") && real.lines.length === 0;
      expect({ text, status: here.status, lines: silent ? [] : here.lines }).toEqual({ text, ...real });
      if (real.status !== 0) refused++;
      if (ofTheHost(real)) return;
      const errors = refusalsHere(text);
      expect({ text, refused: errors.length > 0 }).toEqual({ text, refused: real.status !== 0 });
      const reason = (real.lines[real.lines.length - 1] ?? "")
        .replace(/^parser error: [^:]*:\d+: /, "")
        .replace(/^(parse error in config|corosync: coroparse\.c:\d+): /, "");
      if (real.status === 0 || silent || reason === "" || reason.startsWith("Can't format")) return;
      const named = errors.some((e) => reason.includes(e) || e.includes(reason.replace(/\.$/, "")));
      expect({ text, reason, errors, named }).toEqual({ text, reason, errors, named: true });
    });
    expect(refused).toBeGreaterThan(COUNT / 5);
    expect(refused).toBeLessThan((COUNT * 4) / 5);
  });
});
