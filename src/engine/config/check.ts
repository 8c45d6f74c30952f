/**
 * What is wrong with a corosync.conf, all of it: everything the daemon would refuse, each with its place, and what it accepts in silence although
 * people must know (advice.ts). The daemon stops at the first mistake; here a refused value is set aside and the question asked again, so that
 * every further refusal is found by the daemon's own rules. Left out: what only the host knows (its name, whether a name resolves, the key file).
 */
import { advise } from "./advice.ts";
import type { ConfError } from "./ast.ts";
import { EXIT_ABORT, EXIT_CRASH } from "./ast.ts";
import type { DaemonConfig, HostFacts, Refusal } from "./daemon.ts";
import type { Finding } from "./finding.ts";
import { placeOf, sortFindings } from "./finding.ts";
import { isHostName, parseIp, parseScopedIp } from "./ip.ts";
import { nodePositions, ringKeys } from "./links.ts";
import type { ParseOutcome } from "./parse.ts";
import { parseConf } from "./parse.ts";
import { RELEASE_DEFAULT, profileOf, type Release } from "./release.ts";
import type { ConfValue, ConfValues } from "./values.ts";
import { DOUBLE_FREE, OVERFLOW, stringOf } from "./values.ts";
import { verifyConf } from "./verify.ts";

/** Refusals looked for beyond the parser's. Ours: a person mends a few at a time. */
const REFUSALS_MAX = 50;

/** Keys looked at over all those rounds: a huge file gets fewer of them. Ours. */
const REFUSAL_WORK_MAX = 100_000;

/** Codes and advice by the daemon's text. The first that matches is taken. */
const KNOWN: readonly (readonly [pattern: RegExp, code: string, mend: string])[] = [
  [/Assertion `safe_atoq_range/, "not-a-number", "write the bare number; a comment after a value is part of the value"],
  [
    /expected to be integer in range/,
    "not-a-number",
    "write a whole number within the range; a comment after a value is part of the value",
  ],
  [/expected to be unsigned integer/, "not-a-number", "write the bare number; a comment after a value is part of the value"],
  [/expected to be number \(0\.\.63\)/, "invalid-value", "write a number from 0 to 63, cs0 to cs7, af11 to af43 or ef"],
  [/^Key name can't be empty/, "bad-key-name", "write the key's name before the colon"],
  [/^Subsections are not allowed/, "nested-section", "close the section before the next one opens"],
  [/^Can't store key/, "bad-key-name", "use letters, digits, . _ - / and : only, at least three characters in all"],
  [/^Line too long/, "line-too-long", "keep each line below 511 bytes, without NUL characters"],
  [/^Line is not opening/, "bad-line", "write `key: value`, `section {` or `}`"],
  [/^Extra characters (after|before)/, "extra-characters", "put each brace at the end of its own line"],
  [/^Missing section name/, "missing-section-name", "write the name before the brace, on the same line"],
  [/closing brace$/, "unbalanced-brace", "give every `{` one `}` on a line of its own"],
  [/total cmap path too long/, "path-too-long", "shorten the names; a whole path must stay below 255 characters"],
  [/^No (subsys|name) key/, "missing-name", "name the logger the section is about"],
  [/^Invalid (ip_version|cipher|hash|crypto|compression|system|transport)/, "invalid-value", "use one of the allowed values"],
  [/^Only memberaddr/, "unknown-key", "list nodes in a nodelist section"],
  [/^uidgid/, "unknown-key", "use uid or gid"],
  [/ (user|group) is not found in /, "unknown-user", "name a user or a group that every node has, or leave the section out"],
  [/^(free\(\)|a section inside)/, "nested-section", "close the section before the next one opens"],
  [/^unknown (value|syslog|logfile)/, "invalid-logging", "use one of the values that corosync.conf(5) names"],
  [/explicit nodeid/, "missing-nodeid", "give every node its own nodeid, 1 or more"],
  [/nodeid to be less than/, "nodeid-too-large", "use a nodeid from 1 to 65535"],
  [/appears twice/, "duplicate-nodeid", "give every node its own nodeid"],
  [/failed to parse (node|bindnet) address/, "bad-address", "write an IP address"],
  [/bigger than allowed maximum/, "link-number", "use link numbers 0 to 7"],
  [/No interfaces defined/, "no-nodes", "list the nodes with at least ring0_addr in a nodelist section"],
  [/No valid name found/, "no-local-node", "each host's name must be the name of one entry of the nodelist"],
  [/No multicast port specified/, "uneven-links", "give every node an address on the same links"],
  [/same number of links/, "uneven-links", "give every node an address on the same links"],
  [/must have a 'name'/, "missing-node-name", "give every node its name"],
  [/different IP families/, "mixed-families", "use IPv4 or IPv6 for all addresses of one link"],
  [/version 2 configurations/, "version", "write `version: 2` in the totem section"],
  [/link mode/, "invalid-value", "use passive"],
  [/may not be less than join/, "timer", "keep join below consensus"],
  [
    /(may not be less than|Not appropriate token|token warning parameter)/,
    "timer",
    "raise the value, or leave the key out for the default",
  ],
  [/(crypto_cipher|key is too short)/, "crypto", "use `secauth: on` and leave crypto_cipher and crypto_hash out"],
  [/knet_transport/, "invalid-value", "use udp"],
  [/mcast address/, "bad-address", "leave mcastaddr out; knet does not use it"],
  [/Can only set (ttl|link priority)/, "wrong-transport", "leave the key out; it belongs to another transport"],
  [/failed to load for reason 'Invalid quorum provider'/, "quorum-provider", "use corosync_votequorum"],
  [/failed to load for reason/, "quorum-contradiction", "remove one of the two settings"],
];

function refused(text: string, line: number, column: number): Finding {
  const known = KNOWN.find(([pattern]) => pattern.test(text));
  return { severity: "error", code: known?.[1] ?? "refused", line, column, text, mend: known?.[2] ?? "see corosync.conf(5)" };
}

/** What is wrong with a line that the parser does not take. */
function told({ text, exitCode }: ConfError): string {
  if (exitCode === EXIT_CRASH || text === DOUBLE_FREE)
    return `a section inside of one that can have none, and corosync dies of it: ${text}`;
  if (text === OVERFLOW) return `a name far too long, and corosync dies of it: ${text}`;
  if (exitCode === EXIT_ABORT) return `not a number, and corosync dies of it: ${text}`;
  return text === "" ? "a user or group of this number cannot be, and corosync refuses it without a reason" : text;
}

/** The reason of a refusal, out of the daemon's lines. */
function reasonOf(refusal: Refusal): string {
  const lines = refusal.messages.filter((m) => m.level === "error" && !m.text.startsWith("Corosync Cluster Engine exiting"));
  const text = lines[lines.length - 1]?.text ?? "";
  const service = /^Service engine '.*' failed to load for reason '(.*)'$/.exec(text);
  if (service !== null) return text;
  return text.replace("parse error in config: ", "").replace(/\.$/, (dot) => (text.endsWith("..") ? "" : dot));
}

/** The values with every host name replaced by an address of the family its link has: whether it resolves is the host's business. What is neither stays, and is refused. */
function withLiterals(values: ConfValues): Map<string, ConfValue> {
  const out = new Map(values);
  const rings = [...ringKeys(values).values()].flat();
  const six = new Set(rings.filter((r) => parseIp(r.text)?.family === 6).map((r) => r.link));
  let next = 1;
  for (const { link, key, text } of rings) {
    const value = values.get(key);
    if (value === undefined || !isHostName(text)) continue;
    out.set(key, { ...value, text: standIn(next, six.has(link)) });
    next = (next % 65_000) + 1;
  }
  return out;
}

/** An address for what has none here. */
function standIn(n: number, six: boolean): string {
  return six ? `fd00:ffff::${n.toString(16)}` : `198.18.${n >> 8}.${n & 255}`;
}

/** A host that is the first entry of the nodelist. */
function someHost(values: ConfValues): HostFacts {
  const positions = nodePositions(values);
  const names = positions.map((p) => stringOf(values, `nodelist.node.${p}.name`) ?? "").filter((name) => name !== "");
  const addresses = positions
    .map((p) => stringOf(values, `nodelist.node.${p}.ring0_addr`) ?? "")
    .filter((a) => parseScopedIp(a) !== undefined);
  return { hostname: names[0] ?? "localhost", addresses: addresses.slice(0, 1), resolve: () => [] };
}

/** Sets aside what a refusal is about, so that the next one shows. False if that would only raise follow-up errors. */
function setAside(values: Map<string, ConfValue>, refusal: Refusal, next: number): boolean {
  const at = [...values].find(([, v]) => v.line === refusal.line && v.column === refusal.column);
  if (at === undefined) return false;
  const [key, value] = at;
  const node = /^nodelist\.node\.([0-9]+)\./.exec(key);
  if (node !== null && /nodeid/i.test(reasonOf(refusal))) {
    values.set(`nodelist.node.${node[1] ?? ""}.nodeid`, { ...value, type: "u32", text: String(60_000 - next) });
    return true;
  }
  if (/address '/.test(reasonOf(refusal)) && /^nodelist\.node\.[0-9]+\.ring/.test(key)) {
    const six = [...values].some(([k, v]) => k !== key && /^nodelist\.node\./.test(k) && parseIp(v.text)?.family === 6);
    values.set(key, { ...value, text: standIn(65_535 - next, six) });
    return true;
  }
  if (key === "totem.version") {
    values.set(key, { ...value, type: "u32", text: "2" });
    return true;
  }
  if (!/^(totem|logging|quorum)\./.test(key)) return false;
  values.delete(key);
  return true;
}

function refusals(parsed: ParseOutcome): Finding[] {
  const out = parsed.errors.map((e) => {
    return { ...refused(e.text, e.line, e.column), text: told(e) };
  });
  // the file as the daemon would see it without the lines it cannot read
  const values = withLiterals(parsed.values);
  const rounds = Math.min(REFUSALS_MAX, 1 + Math.floor(REFUSAL_WORK_MAX / (values.size + 1)));
  for (let round = 0; round < rounds; round++) {
    const verdict = verifyConf({ ...parsed, values, errors: [] }, someHost(values));
    if (verdict.ok) break;
    const text = reasonOf(verdict);
    const lost = parsed.errors.length > 0 && verdict.line === undefined;
    // a missing thing may stand in a line that could not be read
    if (!lost) {
      const place =
        verdict.line === undefined
          ? placeOf(parsed.conf, values, "", text.includes("version 2") ? "totem" : "nodelist")
          : { line: verdict.line, column: verdict.column ?? 1 };
      out.push(refused(text, place.line, place.column));
    }
    if (!setAside(values, verdict, round)) break;
  }
  return out;
}

/** All findings about a file as a daemon of that release reads it, in the order of its lines. Never throws, whatever the text. */
export function checkConf(text: string, release: Release = RELEASE_DEFAULT): Finding[] {
  const parsed = parseConf(text, undefined, profileOf(release));
  // A brace that is missing moves everything after it into another section: what would be said of the keys there is not so.
  const shifted = parsed.errors.some((e) => /closing brace$/.test(e.text));
  return sortFindings([...refusals(parsed), ...(shifted ? [] : advise(parsed))]);
}

/**
 * What a daemon runs with, seen from the first entry's host, with host names taken as if they resolved; undefined where it would not start.
 * For descriptions of a file away from its hosts.
 */
export function readFromAfar(text: string, release: Release = RELEASE_DEFAULT): DaemonConfig | undefined {
  const parsed = parseConf(text, undefined, profileOf(release));
  const values = withLiterals(parsed.values);
  const verdict = verifyConf({ ...parsed, values }, someHost(values));
  if (!verdict.ok) return undefined;
  const nodes = verdict.config.nodes.map((node) => ({
    ...node,
    written: node.written.map((_, link) => stringOf(parsed.values, `nodelist.node.${node.position}.ring${link}_addr`) ?? ""),
  }));
  return { ...verdict.config, nodes };
}
