/**
 * Files with one change each, as people make them: an address, a name, a separator, a comment, a quote, a number, a section, an option, a line that stands twice or not at all.
 * Every base is taken by the real corosync on the host `node1` with the addresses of `node1Addresses`.
 */
import fc from "fast-check";
import { goodConf } from "./good.ts";

export const node1Addresses: readonly string[] = ["10.10.0.1", "10.10.1.1"];

const withoutLogfile = (text: string): string => text.replace(/^.*logfile.*\n/gm, "");

const commented = `# comment at the top
totem {
	version: 2

	cluster_name: lab
	transport: knet
	crypto_cipher: aes256
	crypto_hash: sha256
	token: 5000
	token_coefficient: 125
	interface{
		bindnetaddr: 10.10.0.0
		mcastport: 5405
		ringnumber: 0
	}
}

nodelist {
	# the hosts
	node {
		ring0_addr: 10.10.0.1
		nodeid: 1
		name: node1
	}
	node {
		ring0_addr: 10.10.0.2
		nodeid: 2
		name: node2
	}
}
quorum {
	provider: corosync_votequorum
	two_node: 1
	wait_for_all: 0
}
logging {
	to_stderr: yes
	to_syslog: yes
	debug: off
	timestamp: on
	logger_subsys {
		subsys: QUORUM
		debug: off
	}
}
uidgid {
	uid: root
	gid: 0
}
`;

const device = withoutLogfile(goodConf(3, 2)).replace(
  "  provider: corosync_votequorum",
  `  device {
    model: net
    votes: 1
    timeout: 10000
    sync_timeout: 30000
    net {
      algorithm: ffsplit
      host: 10.10.0.200
      tls: on
    }
    heuristics {
      mode: on
      exec_check: /bin/true
    }
  }
  expected_votes: 4
  provider: corosync_votequorum`,
);

const six = withoutLogfile(goodConf(2))
  .replaceAll("10.10.0.", "fd00:10::")
  .replace("ip_version: ipv4-6", "ip_version: ipv6\n  knet_compression_model: zlib\n  knet_mtu: 1200\n  netmtu: 1300\n  link_mode: active");

export const BASES: readonly string[] = [withoutLogfile(goodConf(1)), withoutLogfile(goodConf(3, 2)), commented, device, six];

const ADDRESSES =
  "10.10.0 10.10.0.012 10.10.0.256 10.10.0.2/24 10.10.0.2, 10.10.0.2; 10.10.0.2:5405 <NODE2> $NODE2 ${NODE2} [fd00::2] fd00::2 fd00::2/64 fe80::2 fd00:::2 ::1 0x0a0a0002 " +
  "10.10.0.0x2 168427522 4294967296 10.10.0.2. .10.10.0.2 10..0.2 10.10.0.-2 10.10.0.+2 10.10.0.2e0 10,10,0,2 10.10.0.08 10.10.0.1.2 127.0.0.1 localhost 0.0.0.0 255.255.255.255 " +
  "::ffff:10.10.0.2 1::2::3 10.10.0.2% fd00::2%1 fd00::g 10.10.0.2\u00a0 １0.10.0.2 10.10.0.2\\ 10.10.0.2' '10.10.0.2' udp://10.10.0.2 10.10.0.2-10.10.0.9 10.10.0.* tbd. -";
const NUMBERS =
  "0 1 -1 +1 2 007 08 0x10 1.5 1e3 1000ms 3s 30 10 255 256 65535 65536 2147483647 2147483648 4294967295 4294967296 9223372036854775808 18446744073709551616 99999999999999999999 " +
  "1,000 1_000 1; 1, 1# 1/ ½ １ NaN x true yes on one (1) \"1\" '1' - + .5 5.";
const OPTIONS =
  "on off yes no true false 1 0 On YES Yes enabled none aes256 aes-256 AES256 aes128 sha256 SHA256 sha-256 sha512 md5 nss openssl gnutls knet udp udpu Knet tcp sctp passive active rr " +
  "Passive ipv4 ipv6 ipv4-6 ipv6-4 ipv46 IPv4 corosync_votequorum corosync-votequorum votequorum zlib lz4 lzo2 gzip net disk ffsplit lms debug info warning warn notice hires trace local0 " +
  "daemon local8 native shm socket auto root nobody nosuchuser lowest highest";
const KEYS =
  "version nodeid threads token token_coefficient token_retransmit token_warning hold token_retransmits_before_loss_const join send_join consensus merge downcheck fail_recv_const " +
  "seqno_unchanged_const heartbeat_failures_allowed max_network_delay window_size max_messages miss_count_const knet_pmtud_interval knet_mtu netmtu knet_compression_threshold " +
  "knet_compression_level knet_compression_model config_version cluster_name transport secauth crypto_model crypto_cipher crypto_hash ip_version link_mode keyfile key block_unlisted_ips " +
  "cancel_token_hold_on_retransmit clear_node_high_bit linknumber ringnumber bindnetaddr mcastaddr broadcast mcastport ttl knet_link_priority knet_ping_interval knet_ping_timeout " +
  "knet_ping_precision knet_pong_count knet_transport provider expected_votes votes two_node wait_for_all last_man_standing last_man_standing_window auto_tie_breaker " +
  "auto_tie_breaker_node allow_downscale expected_votes_tracking leaving_timeout model timeout sync_timeout master_wins name quorum_votes ring0_addr ring1_addr ring2_addr ring7_addr " +
  "ring8_addr ring00_addr to_stderr to_syslog logfile_priority syslog_facility syslog_priority syslog_level debug timestamp fileline function_name blackbox tags subsys uid gid " +
  "memberaddr sched_rr qb_ipc_type move_to_root_cgroup allow_knet_handle_fallback priority mode interval exec_check algorithm host tls foo rrp_mode vsftype";
const SECTIONS =
  "totem interface member node nodelist quorum device net heuristics logging logger_subsys logging_daemon uidgid system resources nozzle service amf aisexec pload foo totem.interface quorum.device";

const oneOf = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text.split(" "));
const value = fc.oneof(
  oneOf(ADDRESSES),
  oneOf(NUMBERS),
  oneOf(OPTIONS),
  fc.constantFrom("", "node1", "node2", "a b", "ü", "x".repeat(200)),
);

/** What is done to the value of a line. */
const rewritten = fc.oneof(
  { weight: 6, arbitrary: value.map((to) => () => to) },
  {
    weight: 5,
    arbitrary: fc.constantFrom<(old: string) => string>(
      (v) => `"${v}"`,
      (v) => `'${v}'`,
      (v) => `"${v}`,
      (v) => `${v} # ${v}`,
      (v) => `${v}#`,
      (v) => `${v} // x`,
      (v) => `${v};`,
      (v) => `${v},`,
      (v) => `${v} ${v}`,
      (v) => `${v},${v}`,
      (v) => `${v}.`,
      (v) => `${v}/24`,
      (v) => `${v}:`,
      (v) => `=${v}`,
      (v) => `: ${v}`,
      (v) => `<${v}>`,
      (v) => `\${${v}}`,
      (v) => ` ${v}\t `,
      (v) => `\u00a0${v}`,
      (v) => `${v}\u00a0`,
      (v) => `${v}\v`,
      (v) => `${v}\r`,
      (v) => `${v}\\`,
      (v) => `${v} {`,
      (v) => `${v} }`,
      (v) => v.toUpperCase(),
      (v) => v.slice(0, -1),
      (v) => v.slice(1),
      (v) => `${v}0`,
      (v) => `0${v}`,
      (v) => `-${v}`,
      (v) => `+${v}`,
      (v) => v.replace(".", ","),
      (v) => v.replace(".", ".."),
      (v) => v.replace("1", "l"),
      (v) => v.replace("0", "O"),
    ),
  },
);

/** What is done to a whole line. */
const reshaped = fc.constantFrom<(line: string) => string>(
  (l) => l.replace(":", "="),
  (l) => l.replace(": ", " "),
  (l) => l.replace(":", " :"),
  (l) => l.replace(": ", ":"),
  (l) => l.replace(":", "::"),
  (l) => l.replace(":", "："),
  (l) => l.replace(":", ""),
  (l) => `#${l}`,
  (l) => `;${l}`,
  (l) => `//${l}`,
  (l) => `${l} # a comment`,
  (l) => `${l}\r`,
  (l) => `\ufeff${l}`,
  (l) => `\u00a0${l}`,
  (l) => `${l}${l}`,
  (l) => `${l}\n}`,
  (l) => `{\n${l}`,
  (l) => `${l}\n{\n}`,
  (l) => l.replace("{", "\n{"),
  (l) => l.replace(" {", "{"),
  (l) => l.replace("{", "{ }"),
  (l) => l.replace("{", "{ # a comment"),
  (l) => l.replace("{", ": {"),
  (l) => l.replace("{", "("),
  (l) => l.replace("{", ""),
  (l) => l.replace("}", "}}"),
  (l) => l.replace("}", "} # a comment"),
  (l) => l.replace("}", "};"),
  (l) => l.toUpperCase(),
  (l) => l.replace(/[a-z]/, (c) => c.toUpperCase()),
  (l) => l.replace(/[a-z]([a-z])/, "$1"),
  (l) => l.replace("_", "-"),
  (l) => l.replace(/^\s+/, ""),
  (l) => `${l}${" ".repeat(500)}`,
  (l) => `${l}${"x".repeat(500)}`,
  (l) => l.slice(0, -1),
  () => "",
);

type Change = (lines: string[], at: number, other: number) => void;

const splitLine = (line: string): [string, string] | undefined => {
  const m = /^([^:{]*:[ \t]*)(.*)$/.exec(line);
  return m?.[1] === undefined ? undefined : [m[1], m[2] ?? ""];
};

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 8,
    arbitrary: rewritten.map((rewrite): Change => (lines, at) => {
      // the next line that has a value
      for (let n = 0; n < lines.length; n++) {
        const i = (at + n) % lines.length;
        const parts = splitLine(lines[i] ?? "");
        if (parts === undefined) continue;
        lines[i] = parts[0] + rewrite(parts[1]);
        return;
      }
    }),
  },
  {
    weight: 4,
    arbitrary: reshaped.map((reshape): Change => (lines, at) => {
      lines[at] = reshape(lines[at] ?? "");
    }),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(oneOf(KEYS), value).map(
      ([k, v]): Change =>
        (lines, at) =>
          lines.splice(at, 0, `  ${k}: ${v}`),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(oneOf(SECTIONS), fc.option(fc.tuple(oneOf(KEYS), value))).map(
      ([s, inner]): Change =>
        (lines, at) =>
          lines.splice(at, 0, `${s} {`, ...(inner === null ? [] : [`  ${inner[0]}: ${inner[1]}`]), "}"),
    ),
  },
  {
    weight: 1,
    arbitrary: oneOf(SECTIONS).map((s): Change => (lines, at) => {
      for (let n = 0; n < lines.length; n++) {
        const i = (at + n) % lines.length;
        if (!(lines[i] ?? "").includes("{")) continue;
        lines[i] = `${s} {`;
        return;
      }
    }),
  },
  { weight: 1, arbitrary: fc.constant<Change>((lines, at) => lines.splice(at, 1)) },
  { weight: 1, arbitrary: fc.constant<Change>((lines, at) => lines.splice(at, 0, lines[at] ?? "")) },
  { weight: 1, arbitrary: fc.constant<Change>((lines, at, to) => lines.splice(to, 0, ...lines.splice(at, 1))) },
  { weight: 1, arbitrary: fc.constant<Change>((lines, at, to) => lines.splice(to, 0, lines[at] ?? "")) },
  { weight: 1, arbitrary: fc.constant<Change>((lines, at, to) => lines.splice(at, Math.abs(to - at) % 8)) },
  { weight: 1, arbitrary: fc.constant<Change>((lines, at, to) => lines.splice(to, 0, ...lines.slice(at, at + 6))) },
);

export const oneChange: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...BASES), fc.nat(10_000), fc.nat(10_000), change)
  .map(([base, at, to, apply]) => {
    const lines = base.split("\n");
    apply(lines, at % lines.length, to % lines.length);
    return lines.join("\n");
  });
