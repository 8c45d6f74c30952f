/**
 * A setting that is read and shown either does in a lab what it does on a host, or stands on the list of those that do not. Every key that means something to corosync is
 * asked here: change it, and what the daemon or the quorum device runs with must change, unless the list has it or corosync itself makes nothing of it.
 */
import { describe, expect, test } from "vitest";
import { checkConf, isAboutLab, limitOf, parseConf, profileOf, unmodelled, verifyConf } from "../../src/engine/config/index.ts";
import { KNOWN_KEYS } from "../../src/engine/config/known-keys.ts";
import { READER_KEYS } from "../../src/engine/config/values.ts";
import { readNet } from "../../src/engine/qdevice/device/device-config.ts";
import { goodConf, node1 } from "./good.ts";

const DEVICE = `quorum {
  device {
    model: net
    votes: 1
    net {
      host: 10.10.0.200
      algorithm: ffsplit
    }
    heuristics {
      mode: on
    }
  }
}
`;
const base = goodConf(4, 2).replace(/^.*logfile.*\n/gm, "") + DEVICE;

/** `text` with one more key, in its section opened once more at the end. */
function withSetting(path: string, value: string, text = base): string {
  const [key = "", ...outer] = path.split(".").reverse();
  let lines = [`${key}: ${value}`];
  for (const section of outer) lines = [`${section} {`, ...lines, "}"];
  return `${text}\n${lines.join("\n")}\n`;
}

/** Everything a daemon and its quorum device take from a file. */
function taken(text: string): string {
  const parsed = parseConf(text);
  const verdict = verifyConf(parsed, node1);
  const get = (key: string): string | undefined => parsed.values.get(key)?.text;
  const list = (prefix: string): string[] => [...parsed.values.keys()].filter((key) => key.startsWith(prefix));
  const device = readNet(get, list, 1, true);
  return JSON.stringify(
    [verdict, device, [...parsed.values].filter(([key]) => key.startsWith("uidgid.")).map(([key]) => key)],
    (_, v: unknown) => (typeof v === "bigint" ? String(v) : v),
  );
}

/** A value other than the usual one. */
const SAMPLES: Readonly<Record<string, string>> = {
  "totem.version": "3",
  "totem.crypto_model": "openssl",
  "totem.crypto_cipher": "aes128",
  "totem.crypto_hash": "sha512",
  "totem.secauth": "off",
  "totem.ip_version": "ipv4",
  "totem.cluster_name": "other",
  "totem.keyfile": "/etc/corosync/other",
  "totem.key": "short",
  "totem.block_unlisted_ips": "no",
  "totem.cancel_token_hold_on_retransmit": "yes",
  "totem.interface.linknumber": "1\n    knet_ping_interval: 500",
  "totem.interface.bindnetaddr": "10.10.0.0",
  "totem.interface.mcastaddr": "nowhere",
  "quorum.provider": "other",
  "quorum.device.model": "disk",
  "quorum.device.net.host": "10.10.0.201",
  "quorum.device.net.tls": "off",
  "quorum.device.net.algorithm": "lms",
  "quorum.device.net.tie_breaker": "highest",
  "quorum.device.net.keep_active_partition_tie_breaker": "off",
  "quorum.device.heuristics.mode": "sync",
  "quorum.device.heuristics.exec_": "/bin/true",
  "quorum.auto_tie_breaker_node": "highest",
  "nodelist.node.name": "other",
  "uidgid.uid": "7",
  "uidgid.gid": "7",
};
const NUMBER = "4321";
const SMALL: ReadonlySet<string> = new Set(
  (
    "quorum.two_node quorum.wait_for_all quorum.last_man_standing quorum.auto_tie_breaker quorum.allow_downscale quorum.expected_votes_tracking " +
    "quorum.device.master_wins totem.interface.ttl totem.interface.knet_link_priority totem.token_warning"
  ).split(" "),
);

/** What corosync 3.1.7 with knet reads and makes nothing of, either. */
const NOTHING: readonly RegExp[] = [
  // of the udp transports, and of corosync 2's redundant rings
  /^totem\.(clear_node_high_bit|rrp_[a-z_]+)$/,
  /^totem\.interface\.broadcast$/,
  // votes of a node without a nodelist; names of old versions; no section that opens says anything
  /^quorum\.(votes|leaving_timeout)$/,
  /^quorum\.device\.master_wins$/,
  /^logging\.tags$/,
];

/** How the daemon logs is asked where it logs, and real-time scheduling where a machine stalls. */
const ELSEWHERE: readonly RegExp[] = [
  /^logging\.(logger_subsys\.)?(to_stderr|to_syslog|to_logfile|logfile|logfile_priority|debug|timestamp|fileline|function_name|subsys)$/,
  /^system\.sched_rr$/,
];

const SECTIONS = new Set([...KNOWN_KEYS.keys(), "totem.interface.member", "resources", "pload", "logging.logging_daemon"]);
const ALL = new Set([
  ...[...KNOWN_KEYS].flatMap(([section, names]) => [...names].map((name) => (section === "" ? name : `${section}.${name}`))),
  ...READER_KEYS,
]);

/** The key of the map for a key of a section. */
function mapKey(path: string): string {
  return path
    .replace(/^totem\.interface\./, "totem.interface.0.")
    .replace(/^logging\.logger_subsys\./, "logging.logger_subsys.QUORUM.")
    .replace(/_$/, "_x");
}

const asked = [...ALL].filter((path) => !SECTIONS.has(path)).sort();
const free = asked.filter((path) => limitOf(mapKey(path)) === undefined && ![...NOTHING, ...ELSEWHERE].some((r) => r.test(path)));

describe("every key works in a lab or is on the list", () => {
  test("the reader's keys are among those that the checker knows", () => {
    const known = (path: string): boolean =>
      KNOWN_KEYS.get(path.slice(0, path.lastIndexOf(".")))?.has(path.slice(path.lastIndexOf(".") + 1)) === true;
    expect(READER_KEYS.filter((path) => !known(path) && !/^(totem\.rrp_|resources\.)/.test(path))).toEqual([]);
  });

  test("every exception is needed, and none of them is on the list as well", () => {
    for (const pattern of [...NOTHING, ...ELSEWHERE]) expect([pattern, asked.some((path) => pattern.test(path))]).toEqual([pattern, true]);
    expect(asked.filter((path) => NOTHING.some((r) => r.test(path)) && limitOf(mapKey(path)) !== undefined)).toEqual([]);
  });

  test.each(free)("%s", (path) => {
    const value = SAMPLES[path] ?? (/\.ring[0-9]_addr$/.test(path) ? "10.10.7.77" : SMALL.has(path) ? "1" : NUMBER);
    const from = SMALL.has(path) ? withSetting(path, "0") : base;
    const key = path.replace(/_$/, "_x");
    const more =
      path === "quorum.last_man_standing_window" || path === "quorum.auto_tie_breaker_node"
        ? withSetting(path, value)
        : withSetting(key, value);
    expect(taken(more)).not.toBe(taken(from));
  });
});

describe("what stands on the list", () => {
  test.each([
    ["totem.transport", "udpu", "lab-refuses"],
    ["totem.heartbeat_failures_allowed", "2", "lab-refuses"],
    ["totem.netmtu", "100", "lab-refuses"],
    ["totem.netmtu", "1300", undefined],
    ["totem.interface.knet_transport", "sctp", "lab-refuses"],
    ["totem.interface.knet_transport", "udp", undefined],
    ["system.state_dir", "/srv/corosync", "lab-differs"],
    ["system.state_dir", "/var/lib/corosync", undefined],
    ["system.qb_ipc_type", "shm", "lab-differs"],
    ["logging.syslog_facility", "local0", "lab-differs"],
    ["logging.syslog_facility", "daemon", undefined],
    ["logging.blackbox", "off", "lab-differs"],
    ["resources.system.memory_used.max", "80", "lab-differs"],
    ["nozzle.name", "noz0", "lab-differs"],
    ["quorum.device.heuristics.exec_gateway", "/usr/bin/ping -q -c 1 10.0.0.1", undefined],
    ["quorum.device.heuristics.exec_check", "/usr/local/bin/check-uplink", "lab-differs"],
    ["quorum.device.heuristics.exec_dig", "/usr/bin/dig +short example.com", "lab-differs"],
    ["uidgid.uid", "hacluster", "lab-account"],
    ["uidgid.uid", "www-data", undefined],
    ["uidgid.gid", "1000", undefined],
  ])("%s: %s is said beforehand, with its line: %s", (path, value, code) => {
    const text = withSetting(path, value);
    const line = text.split("\n").findIndex((l) => l === `${path.slice(path.lastIndexOf(".") + 1)}: ${value}`) + 1;
    const found = checkConf(text).filter((f) => isAboutLab(f));
    expect(found.map((f) => [f.code, f.line])).toEqual(code === undefined ? [] : [[code, line]]);
    // the checker and a start know of the same
    expect(unmodelled(parseConf(text).values, profileOf("3.1.7")).length > 0).toBe(code === "lab-refuses");
  });
});
