/** corosync's tools in the corners where few look, typed on a node of a running cluster: what they print and do there is what 3.1.7 printed and did. */
import { describe, expect, test } from "vitest";
import { Operator, confText } from "./operator.ts";

const TABLE = "\nMembership information\n----------------------\n";

/** Statistics by key, as the tool lists them. */
async function stats(operator: Operator, ...prefixes: string[]): Promise<Record<string, string>> {
  const { stdout } = await operator.type(1, `corosync-cmapctl -m stats ${prefixes.join(" ")}`);
  return Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => [line.replace(/ \(.*$/, ""), line.replace(/^.* = /, "")]),
  );
}

describe("corosync-cmapctl -C", () => {
  const LINK = "stats.knet.node2.link0.";
  const SEEN = ["stats.srp.", LINK, "stats.knet.handle.", "stats.knet.node1."];

  test("knet clears the links, the handle and Totem; of the latency only the mean goes on", async () => {
    const operator = Operator.up(confText(2));
    const before = await stats(operator, ...SEEN);
    expect(await operator.say(1, "corosync-cmapctl -C knet")).toBe("");
    const after = await stats(operator, ...SEEN);
    const kept = Object.keys(after).filter((key) => after[key] !== "0");
    expect(kept).toEqual([
      `${LINK}connected`,
      `${LINK}enabled`,
      `${LINK}latency_ave`,
      `${LINK}latency_samples`,
      `${LINK}mtu`,
      "stats.knet.node1.link0.connected",
      "stats.knet.node1.link0.enabled",
      "stats.knet.node1.link0.mtu",
    ]);
    for (const key of kept) expect(after[key]).toBe(before[key]);
    operator.wait(3);
    const later = await stats(operator, ...SEEN);
    expect(later[`${LINK}latency_min`]).toBe("0");
    expect(later[`${LINK}latency_max`]).toBe(later[`${LINK}latency_ave`]);
    expect(Number(later["stats.srp.mtt_rx_token"])).toBeGreaterThan(0);
  });

  test("the mean time between tokens is that of the last hundred or so: 180 ms once two nodes have been idle for 20 s, as recorded", async () => {
    const operator = Operator.up(confText(2));
    const mean = async (node: number): Promise<number> =>
      Number(/mtt_rx_token \(u32\) = (\d+)/.exec(await operator.say(node, "corosync-cmapctl -m stats stats.srp.mtt_rx_token"))?.[1]);
    // The tokens of the forming still count.
    expect(await mean(1)).toBeLessThan(180);
    operator.wait(25);
    for (const node of [1, 2]) expect(await mean(node)).toBe(180);
  });

  test("totem leaves knet's counters, ipc and schedmiss both", async () => {
    const operator = Operator.up(confText(2));
    const packets = `${LINK}rx_total_packets`;
    const before = await stats(operator, ...SEEN);
    for (const group of ["ipc", "schedmiss"]) expect(await operator.say(1, `corosync-cmapctl -C ${group}`)).toBe("");
    expect(Number((await stats(operator, "stats.srp."))["stats.srp.orf_token_rx"])).toBeGreaterThan(10);
    expect(await operator.say(1, "corosync-cmapctl -C totem")).toBe("");
    const after = await stats(operator, ...SEEN);
    expect(Number(after[packets])).toBeGreaterThanOrEqual(Number(before[packets]));
    expect(Number(after["stats.srp.orf_token_rx"])).toBeLessThan(5);
    expect(after["stats.srp.operational_entered"]).toBe("0");
  });

  test.each([
    ["-C", "corosync-cmapctl: option requires an argument -- 'C'\nstatus 1\n"],
    ["-C kne", "argument to -C should be 'knet', 'totem', 'ipc', 'schedmiss' or 'all'\nstatus 1\n"],
    ["-C knet -C foo", "argument to -C should be 'knet', 'totem', 'ipc', 'schedmiss' or 'all'\nstatus 1\n"],
    ["-C knet -s", "Expected key after options\nstatus 1\n"],
    ["-g -C knet no.such.key", ""],
    ["-C knet -m icmap -g totem.version", "totem.version (u32) = 2\n"],
    ["-m stats -s stats.clear.knetx str any", ""],
    ["-m stats -s stats.clear.foo u32 1", "Failed to set key stats.clear.foo. Error CS_ERR_NOT_SUPPORTED\nstatus 1\n"],
    ["-m stats -s stats.clear u32 1", "Failed to set key stats.clear. Error CS_ERR_ACCESS\nstatus 1\n"],
    ["-m stats -s foo.bar u32 1", "Failed to set key foo.bar. Error CS_ERR_ACCESS\nstatus 1\n"],
    ["-m stats -g stats.clear.knet", "Can't get key stats.clear.knet. Error CS_ERR_NOT_EXIST\nstatus 1\n"],
    ["-s stats.clear.knet u32 1", ""],
  ])("%s", async (options, said) => {
    expect(await Operator.up(confText(1)).say(1, `corosync-cmapctl ${options}`)).toBe(said);
  });
});

test("-q leaves the names away, in lists too", async () => {
  expect(await Operator.up(confText(1)).say(1, "corosync-cmapctl -q nodelist.node.0.")).toBe("node1\n1\n1\n10.10.0.1\n");
});

test("a main loop that came late is in stats.schedmiss, the latest first; to ask for such a key by its name is the daemon's end", async () => {
  const operator = Operator.up(confText(1));
  for (const seconds of [2.2, 2.5]) {
    operator.act(1, { kind: "service-stall", unit: "corosync" });
    operator.wait(seconds);
    operator.act(1, { kind: "service-resume", unit: "corosync" });
    operator.wait(1);
  }
  const logged = operator.journal(1).flatMap((line) => /not scheduled \(@(\d+)\) for (\d+)/.exec(line)?.slice(1) ?? []);
  const [first, firstMs, second, secondMs] = logged;
  const { stdout } = await operator.type(1, "corosync-cmapctl -m stats stats.schedmiss");
  expect(stdout.replace(/\.\d{6}\n/g, "\n")).toBe(
    `stats.schedmiss.0.delay (flt) = ${secondMs}\nstats.schedmiss.0.timestamp (u64) = ${second}\n` +
      `stats.schedmiss.1.delay (flt) = ${firstMs}\nstats.schedmiss.1.timestamp (u64) = ${first}\n`,
  );
  expect(await operator.say(1, "corosync-cmapctl -m stats -g stats.pg.msg_reserved stats.schedmiss.0.delay")).toBe(
    "Can't get key stats.schedmiss.0.delay. Error CS_ERR_LIBRARY\nstats.pg.msg_reserved (u32) = 2\nstatus 1\n",
  );
  expect(await operator.say(1, "corosync-cmapctl -g totem.version")).toBe(
    "Failed to initialize the cmap API. Error CS_ERR_LIBRARY\nstatus 1\n",
  );
  expect(operator.journal(1)).toContain("systemd: corosync.service: Main process exited, code=dumped, status=11/SEGV");
});

describe("without a quorum provider", () => {
  const TRACKING = "Unable to start votequorum status tracking: CS_ERR_BAD_HANDLE\nstatus 1\n";
  const CANNOT = ", corosync is not using votequorum\nstatus 1\n";

  test("quorumtool lists nobody, in a table without votes", async () => {
    const operator = Operator.up(confText(2, { provider: false }));
    expect(await operator.say(1, "corosync-quorumtool")).toBe(TRACKING);
    expect(await operator.say(1, "corosync-quorumtool -l")).toBe(`${TABLE}    Nodeid Name\n`);
    expect(await operator.say(1, "corosync-cmapctl -s quorum.provider str corosync_votequorum")).toBe("");
    expect(await operator.say(1, "corosync-quorumtool -s")).toBe(TRACKING);
  });

  test("the key is what counts: taken away from a running daemon the tool lists members only", async () => {
    const operator = Operator.up(confText(2));
    expect(await operator.say(1, "corosync-cmapctl -s quorum.provider str foo")).toBe("");
    expect(await operator.say(1, "corosync-quorumtool -s")).toBe(TRACKING);
    expect(await operator.say(1, "corosync-quorumtool -l -i")).toBe(
      `${TABLE}    Nodeid Name\n         1 10.10.0.1\n         2 10.10.0.2\n`,
    );
    expect(await operator.say(1, "corosync-quorumtool -l -H")).toBe(`${TABLE}    Nodeid Name\n0x00000001 node1\n0x00000002 node2\n`);
    expect(await operator.say(1, "corosync-quorumtool -e 3")).toBe(`You cannot change expected votes${CANNOT}`);
    expect(await operator.say(1, "corosync-quorumtool -v 1 -n 9")).toBe(`You cannot change node votes${CANNOT}`);
    expect(await operator.say(1, "corosync-quorumtool -f")).toBe(`You cannot unregister quorum device${CANNOT}`);
    await operator.say(1, "corosync-cmapctl -s quorum.provider str corosync_votequorum");
    expect(await operator.say(1, "corosync-quorumtool -l")).toBe(
      `${TABLE}    Nodeid      Votes Name\n         1          1 node1 (local)\n         2          1 node2\n`,
    );
  });
});

describe("members that the nodelist does not have", () => {
  test("a node that a reload took out is listed without a name while it is in the ring", async () => {
    const operator = Operator.up(confText(3, { totem: "  token: 5000\n" }));
    operator.write(1, operator.conf.replace(/ {2}node \{\n {4}name: node3[^}]*\}\n/, ""));
    await operator.say(1, "corosync-cfgtool -R");
    operator.wait(0.3);
    expect(await operator.say(1, "corosync-quorumtool -l")).toBe(
      `Unable to get node address for nodeid 3: CS_ERR_NOT_EXIST\n${TABLE}    Nodeid      Votes Name\n` +
        "         1          1 node1 (local)\n         2          1 node2\n         3          1 \n",
    );
    const { stdout, stderr, status } = await operator.type(1, "corosync-quorumtool -s");
    expect([stderr, status]).toEqual(["Unable to get node address for nodeid 3: CS_ERR_NOT_EXIST\n", 0]);
    expect(stdout).toContain("Expected votes:   3\nHighest expected: 3\nTotal votes:      3\n");
    expect(await operator.say(1, "corosync-cfgtool -a 3")).toBe("Could not get node address for nodeid 3\nstatus 1\n");
    expect(await operator.say(1, "corosync-quorumtool -v 1 -n 3")).toBe("");
  });

  test("without a nodelist nobody has an address, and cfgtool finds no nodes", async () => {
    const operator = Operator.up(confText(2));
    operator.write(1, operator.conf.replace(/nodelist \{[^]*?\n\}\n/, ""));
    expect(await operator.say(1, "corosync-cfgtool -R")).toBe("Reloading corosync.conf...\nDone\n");
    for (const option of ["-s", "-n"])
      expect(await operator.say(1, `corosync-cfgtool ${option}`)).toBe("No nodes found in nodelist\nstatus 1\n");
    expect(await operator.say(1, "corosync-quorumtool -l")).toBe(
      "Unable to get node address for nodeid 1: CS_ERR_NOT_EXIST\nUnable to get node address for nodeid 2: CS_ERR_NOT_EXIST\n" +
        `${TABLE}    Nodeid      Votes Name\n         1          1  (local)\n         2          1 \n`,
    );
    expect(await operator.say(1, "corosync-cfgtool -a 1")).toBe("Could not get node address for nodeid 1\nstatus 1\n");
  });
});

describe("keys below runtime.votequorum.", () => {
  const KEYS = "corosync-cmapctl runtime.votequorum";
  const line = (key: string, type: string, value: number | string): string => `runtime.votequorum.${key} (${type}) = ${value}\n`;
  const set = (key: string, type: string, value: string): string => `corosync-cmapctl -s runtime.votequorum.${key} ${type} ${value}`;

  test("are anybody's to change; votequorum writes its own again when it next has to do with them", async () => {
    const operator = Operator.up(confText(2));
    for (const key of ["two_node", "ev_barrier", "highest_node_id", "qdevice_can_operate", "foo"]) {
      expect(await operator.say(1, set(key, "u32", "77"))).toBe("");
    }
    for (const key of ["lowest_node_id", "foo"]) expect(await operator.say(1, `corosync-cmapctl -d runtime.votequorum.${key}`)).toBe("");
    expect(await operator.say(1, set("two_node", "str", "hello"))).toBe("");
    expect(await operator.say(1, KEYS)).toBe(
      line("ev_barrier", "u32", 77) +
        line("highest_node_id", "u32", 77) +
        line("qdevice_can_operate", "u32", 77) +
        line("this_node_id", "u32", 1) +
        line("two_node", "str", "hello"),
    );
    expect(await operator.say(1, "corosync-cmapctl -s quorum.two_node u8 1")).toBe("");
    operator.wait(1);
    expect(await operator.say(1, KEYS)).toBe(
      line("atb_type", "u32", 0) +
        line("ev_barrier", "u32", 2) +
        line("highest_node_id", "u32", 2) +
        line("lowest_node_id", "u32", 1) +
        line("qdevice_can_operate", "u32", 77) +
        line("this_node_id", "u32", 1) +
        line("two_node", "u8", 1) +
        line("wait_for_all_status", "u8", 0),
    );
  });

  test("a reload brings back those that it has to do with, this node's id not among them", async () => {
    const operator = Operator.up(confText(2));
    expect(await operator.say(1, "corosync-cmapctl -D runtime.votequorum.")).toBe("");
    expect(await operator.say(1, KEYS)).toBe("status 1\n");
    expect(await operator.say(1, "corosync-cfgtool -R")).toBe("Reloading corosync.conf...\nDone\n");
    operator.wait(1);
    expect(await operator.say(1, KEYS)).toBe(
      line("atb_type", "u32", 0) +
        line("ev_barrier", "u32", 2) +
        line("highest_node_id", "u32", 2) +
        line("lowest_node_id", "u32", 1) +
        line("two_node", "u8", 0),
    );
    for (const option of ["-s", "-l", "-e 4", "-v 2", "-f"]) {
      expect(await operator.say(1, `corosync-quorumtool ${option}`)).toBe("Unable to retrieve this_node_id\nstatus 1\n");
    }
  });

  test("quorumtool takes the node for itself that the key names", async () => {
    const operator = Operator.up(confText(2));
    await operator.say(1, set("this_node_id", "u32", "2"));
    expect((await operator.type(1, "corosync-quorumtool")).stdout).toContain("Node ID:          2\n");
    expect(await operator.say(1, "corosync-quorumtool -v 3")).toBe("");
    expect(await operator.say(1, "corosync-quorumtool -l")).toBe(
      `${TABLE}    Nodeid      Votes Name\n         1          1 node1\n         2          3 node2 (local)\n`,
    );
    await operator.say(1, set("this_node_id", "u32", "77"));
    expect(await operator.say(1, "corosync-quorumtool -v 3")).toBe(
      "Unable to set votes 3 for nodeid: 77: CS_ERR_NAME_NOT_FOUND\nstatus 1\n",
    );
    expect(await operator.say(1, "corosync-quorumtool -f")).toBe("Unable to get quorum device info: CS_ERR_NOT_EXIST\nstatus 1\n");
    await operator.say(1, set("this_node_id", "u8", "1"));
    expect(await operator.say(1, "corosync-quorumtool -l")).toBe("Unable to retrieve this_node_id\nstatus 1\n");
  });
});
