/**
 * What one start of the daemon reads from disk: corosync.conf, the key, the stored ring sequence number. In the real stack: coroparse, totemconfig and the
 * file half of main.c. What a file means, and what a start says against it, is decided in config/; this file only fetches.
 */
import {
  CONF_PATH,
  EXIT_MAIN_CONFIG,
  accountsOf,
  HOSTS_PATH,
  addressesOf,
  confKeys,
  parseConf,
  parserMessage,
  profileOf,
  readLoggers,
  stringOf,
  unmodelled,
  verifyConf,
  type Accounts,
  type ConfValues,
  type DaemonConfig,
  type DaemonMessage,
  type HostFacts,
  type LoggingConfig,
  type ParseOutcome,
  type Refusal,
  type ReleaseProfile,
  type Verdict,
} from "../config/index.ts";
import { totemKeys, daemonKeys, type CmapEntry } from "../cmap/index.ts";
import {
  ByteReader,
  ByteWriter,
  fromUtf8,
  makeDirectories,
  readFileBytes,
  readWhole,
  utf8,
  writeOver,
  type FilePort,
  type Os,
} from "../kernel/index.ts";
import { sealOf, type KnetParams } from "../knet/index.ts";
import { PONGS_MAX } from "./lines.ts";
import type { TotemParams } from "../totem/types.ts";
import { configuredExpectedVotes, type VotequorumParams } from "../votequorum/index.ts";

/** libknet: pongs that a link takes where nobody says. */
const PONGS_DEFAULT = 2;
const STATE_DIR = "/var/lib/corosync";
const EV_TRACKING_PATH = `${STATE_DIR}/ev_tracking`;
const PASSWD_PATH = "/etc/passwd";
const GROUP_PATH = "/etc/group";
/** Bytes of /etc/corosync/authkey that are used at most (32768 bits). */
const KEY_BYTES_MAX = 4096;

/** Frozen: snapshots share it. */
export interface Settings {
  readonly config: DaemonConfig;
  readonly key: Uint8Array;
  /** The key map as it is right after the start: what the file gives and what the daemon adds. */
  readonly keys: readonly CmapEntry[];
}

/** `warnings`: what a start says of a file that it takes, in its order. */
export type SettingsResult = { readonly ok: true; readonly settings: Settings; readonly warnings: readonly DaemonMessage[] } | Refusal;

/** What a configuration is judged by: the machine's files, name and cards, the release of the daemon that reads; and by whom its log files are opened, if they are. */
export type ConfHost = Pick<Os, "files" | "hostname" | "nics" | "release"> & Pick<HostFacts, "openLog">;

/** Addresses that a machine's resolver has for a name; a literal is its own. */
export function resolveByHosts(files: FilePort, name: string): string[] {
  return addressesOf(fromUtf8(readFileBytes(files, HOSTS_PATH) ?? new Uint8Array(0)), name);
}

/** A start with what the lab does not model is refused rather than run as if it were absent. */
function refuseUnmodelled(texts: readonly string[]): Refusal {
  const messages = texts.map((text) => ({ level: "error" as const, subsystem: "MAIN" as const, text }));
  return { ok: false, stage: "totem", exitCode: EXIT_MAIN_CONFIG, messages, line: undefined, column: undefined };
}

/** The file a process was told to read, under the name it was told. */
export interface ConfFile {
  /** Absolute. */
  readonly path: string;
  /** As given with -c; messages carry it. */
  readonly named: string;
}

const STANDARD_FILE: ConfFile = { path: CONF_PATH, named: CONF_PATH };

/**
 * A directory opens like a file and has no lines. To a daemon that takes the byte A0 for a blank it is one where it stands alone, as Latin-1 has its no-break space; as a part of a
 * character of UTF-8 it stays.
 */
export function readConf(files: FilePort, path: string, { blankA0 }: ReleaseProfile): string | undefined {
  const read = readWhole(files, path);
  if (read.ok) return fromUtf8(blankA0 && read.data.includes(0xa0) ? withoutLoneA0(read.data) : read.data);
  return read.errno === "EISDIR" ? "" : undefined;
}

function withoutLoneA0(data: Uint8Array): Uint8Array {
  const continued = (byte: number): number => (byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc2 ? 1 : 0);
  const out = data.slice();
  let left = 0;
  out.forEach((byte, i) => {
    const inside = left > 0 && byte >= 0x80 && byte < 0xc0;
    if (byte === 0xa0 && !inside) out[i] = 0x20;
    left = inside ? left - 1 : continued(byte);
  });
  return out;
}

function refuseToRead(text: string): Refusal {
  const messages = [{ level: "error" as const, subsystem: undefined, text }];
  return { ok: false, stage: "parse", exitCode: EXIT_MAIN_CONFIG, messages, line: undefined, column: undefined };
}

export function hostFacts(host: ConfHost): HostFacts {
  return {
    hostname: host.hostname,
    addresses: host.nics().map((n) => n.address),
    resolve: (name) => resolveByHosts(host.files, name),
    authkeyBytes: (path) => readFileBytes(host.files, path)?.length ?? null,
    openLog: (path) => host.openLog?.(path),
  };
}

/** The machine's users and groups. */
export function hostAccounts(files: FilePort): Accounts {
  const text = (path: string): string => fromUtf8(readFileBytes(files, path) ?? new Uint8Array(0));
  return accountsOf(text(PASSWD_PATH), text(GROUP_PATH));
}

/** The bytes packets are sealed with. */
export function readKey(files: FilePort, config: DaemonConfig, values: ConfValues): Uint8Array {
  const { cipher, hash } = config.crypto;
  // With cipher and hash "none" there is no key, and everybody's packets are taken.
  if (cipher === "none" && hash === "none") return new Uint8Array(0);
  const inline = stringOf(values, "totem.keyfile") === undefined ? stringOf(values, "totem.key") : undefined;
  const bytes = inline === undefined ? readFileBytes(files, config.keyfile) : utf8(inline);
  return (bytes ?? new Uint8Array(0)).slice(0, KEY_BYTES_MAX);
}

/** What the daemon itself makes of the file on this machine, modelled or not. */
function judge(host: ConfHost, file: ConfFile): { readonly parsed: ParseOutcome; readonly verdict: Verdict } | Refusal {
  const profile = profileOf(host.release);
  const text = readConf(host.files, file.path, profile);
  if (text === undefined) return refuseToRead(`Can't read file ${file.named}: No such file or directory`);
  const parsed = parseConf(text, hostAccounts(host.files), profile);
  const verdict = verifyConf(parsed, hostFacts(host));
  const first = parsed.errors[0];
  if (first === undefined || verdict.ok) return { parsed, verdict };
  const messages = verdict.messages.map((m) => ({ ...m, text: parserMessage(first, profile, file.named) }));
  return { parsed, verdict: { ...verdict, messages } };
}

/** corosync -t: the verdict of everything before the services are loaded, which is all it looks at. */
export function testSettings(host: ConfHost, file: ConfFile): { readonly exitCode: number; readonly messages: readonly DaemonMessage[] } {
  const judged = judge(host, file);
  if ("ok" in judged) return judged;
  const { verdict } = judged;
  if (!verdict.ok && verdict.stage !== "services") return verdict;
  return { exitCode: 0, messages: warningsOf(verdict.messages) };
}

/** What the reader of the configuration warns of, among all that is said of a file. */
export function warningsOf(messages: readonly DaemonMessage[]): DaemonMessage[] {
  return messages.filter((m) => m.level === "warning" && (m.subsystem === "MAIN" || m.subsystem === "TOTEM"));
}

/** How the process logs before anything else is known of it: the defaults where the file cannot be read. */
export function earlyLogging({ files, release }: Pick<ConfHost, "files" | "release">, file: ConfFile): LoggingConfig {
  const profile = profileOf(release);
  return readLoggers(parseConf(readConf(files, file.path, profile) ?? "", undefined, profile).values);
}

/** Everything a start needs, or why it does not take place. */
export function readSettings(host: ConfHost, file: ConfFile = STANDARD_FILE): SettingsResult {
  const judged = judge(host, file);
  if ("ok" in judged) return judged;
  const { parsed, verdict } = judged;
  if (!verdict.ok) return verdict;
  const config = verdict.config;
  const missing = unmodelled(parsed.values, parsed.profile);
  if (missing.length > 0) return refuseUnmodelled(missing);
  const key = readKey(host.files, config, parsed.values);
  const keys = [...confKeys(config, parsed.values), ...daemonKeys(), ...totemKeys(config.totem, config.links, profileOf(host.release))];
  return { ok: true, settings: Object.freeze({ config, key, keys: Object.freeze(keys) }), warnings: warningsOf(verdict.messages) };
}

export function totemParams(config: DaemonConfig): TotemParams {
  return Object.freeze({ ...config.totem, nodeId: config.nodeId, profile: profileOf(config.release) });
}

/** votequorum's view of a configuration. `deviceConflict`: what the daemon, which runs already, finds wrong with its device. */
export function votequorumParams(config: DaemonConfig, deviceConflict?: string): VotequorumParams {
  const { quorum, nodes } = config;
  const votes = nodes.map((n) => n.votes);
  return Object.freeze({
    nodeId: config.nodeId,
    votes: votes[config.localPosition] ?? 1,
    expectedVotes: configuredExpectedVotes(votes, quorum.expectedVotes, quorum.device?.automaticVotes === true ? quorum.device.votes : 0),
    givenExpectedVotes: quorum.expectedVotes ?? 0,
    listedVotes: quorum.nodelistVotes,
    twoNode: quorum.twoNode,
    waitForAll: quorum.waitForAll,
    waitForAllGiven: quorum.waitForAllGiven,
    lastManStanding: quorum.lastManStanding,
    lastManStandingWindowMs: quorum.lastManStandingWindowMs,
    autoTieBreaker: quorum.autoTieBreaker,
    autoTieBreakerNode: quorum.autoTieBreakerNode,
    allowDownscale: quorum.allowDownscale,
    expectedVotesTracking: quorum.expectedVotesTracking,
    device: quorum.device,
    deviceConflict,
    debug: config.logging.debug,
  });
}

/** knet's view: a link on an address no card has is still configured, as FREEBIND allows; its packets go nowhere. */
export function knetParams(settings: Settings, host: Pick<Os, "nics">): KnetParams {
  const { config, key } = settings;
  return Object.freeze({
    nodeId: config.nodeId,
    links: config.links.map((l) => ({
      link: l.link,
      net: host.nics().find((n) => n.address === l.address)?.net ?? "",
      localAddress: l.address,
      port: l.mcastport,
      pingIntervalMs: l.pingIntervalMs,
      pingTimeoutMs: l.pingTimeoutMs,
      // One that libknet does not take leaves its own in force.
      pongCount: l.pongCount > PONGS_MAX ? PONGS_DEFAULT : l.pongCount,
      priority: l.priority,
    })),
    peers: config.nodes
      .filter((n) => n.nodeId !== config.nodeId && n.nodeId !== 0)
      .map((n) => ({ nodeId: n.nodeId, name: n.name, addresses: n.addresses.map((a) => (a === "" ? undefined : a)) })),
    // Packets of another cipher or hash can be read no more than those of another key; without a key there is nothing to tell them by.
    key: key.length === 0 ? key : Uint8Array.from([...utf8(`${config.crypto.cipher}/${config.crypto.hash}:`), ...key]),
    seal: sealOf(config.crypto.cipher, config.crypto.hash),
    blockUnlisted: config.totem.blockUnlistedIps,
    pmtudIntervalS: config.totem.knetPmtudIntervalS,
    policy: config.linkMode,
    manualMtu: config.totem.knetMtu,
    profile: profileOf(config.release),
    compression: {
      model: config.totem.knetCompressionModel,
      level: config.totem.knetCompressionLevel,
      threshold: config.totem.knetCompressionThreshold,
    },
  });
}

/** `r(0) ip(10.10.0.1) r(1) ip(10.10.1.1) `, with the trailing blank, as in runtime.members.ID.ip. */
export function addressText(config: DaemonConfig, nodeId: number): string {
  const addresses = config.nodes.find((n) => n.nodeId === nodeId)?.addresses ?? [];
  return addresses.map((a, link) => (a === "" ? "" : `r(${link}) ip(${a}) `)).join("");
}

function ringFile(nodeId: number): string {
  return `${STATE_DIR}/ringid_${nodeId}`;
}

/** The stored ring sequence number; 0 where there is no file or it has not eight bytes. */
export function loadRingSeq(files: FilePort, nodeId: number): number {
  const data = readFileBytes(files, ringFile(nodeId));
  return data?.length === 8 ? new ByteReader(data).u64() : 0;
}

/**
 * corosync's memory of the highest expected votes: four bytes. Made with a zero where it is missing. Nothing else is ever written to it.
 * @returns undefined where it can be neither read nor made
 */
export function storedExpectedVotes(files: FilePort): number | undefined {
  const data = readFileBytes(files, EV_TRACKING_PATH);
  if (data?.length === 4) return new ByteReader(data).u32();
  const zero = new ByteWriter().u32(0).done();
  const errno = makeDirectories(files, STATE_DIR) ?? writeOver(files, EV_TRACKING_PATH, zero, 0o700);
  return errno === undefined ? 0 : undefined;
}

/** Eight bytes in host order, mode 0600, written over those before. @returns the errno's name where the disk refuses */
export function storeRingSeq(files: FilePort, nodeId: number, seq: number): string | undefined {
  return makeDirectories(files, STATE_DIR) ?? writeOver(files, ringFile(nodeId), new ByteWriter().u64(seq).done(), 0o600);
}
