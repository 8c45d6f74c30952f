/**
 * What the daemon says of itself while it comes up and goes down: the literal lines, and how long the parts take. Sources: recorded starts and stops of
 * corosync. Left out: the warning about RLIMIT_MEMLOCK, which a Proxmox VE host does not show.
 */
import { EXIT_MAIN_CONFIG, profileOf, type DaemonConfig, type LoggingConfig, type ReleaseProfile } from "../config/index.ts";
import { MS, civilFromUnix, type Duration, type LinkStatus, type LogLevel } from "../kernel/index.ts";
import { MTU_MAX, compressLines, shortTimeout, timersSaid } from "../knet/index.ts";

export interface Line {
  readonly level: LogLevel;
  readonly subsystem: string;
  readonly text: string;
}

const line = (level: LogLevel, subsystem: string, text: string): Line => ({ level, subsystem, text });

export function starting({ corosync }: ReleaseProfile): Line[] {
  const features = "dbus monitoring watchdog augeas systemd xmlconf vqsim nozzle snmp pie relro bindnow";
  return [
    line("notice", "MAIN", `Corosync Cluster Engine ${corosync} starting up`),
    line("info", "MAIN", `Corosync built-in features: ${features}`),
  ];
}

const debug = (subsystem: string, text: string): Line => line("debug", subsystem, text);

/** What Totem is told by the configuration, and that it begins. Nothing is known of a configuration that is refused later. */
export function transportLines(config: DaemonConfig | undefined): Line[] {
  const begins = line("notice", "TOTEM", "Initializing transport (Kronosnet).");
  if (config === undefined) return [begins];
  const { totem: t, links } = config;
  const texts = [
    "waiting_trans_ack changed to 1",
    `Token Timeout (${t.tokenMs} ms) retransmit timeout (${t.tokenRetransmitMs} ms)`,
    `Token warning every ${Math.floor((t.tokenMs * t.tokenWarningPercent) / 100)} ms (${t.tokenWarningPercent}% of Token Timeout)`,
    `token hold (${t.holdMs} ms) retransmits before loss (${t.tokenRetransmitsBeforeLossConst} retrans)`,
    `join (${t.joinMs} ms) send_join (${t.sendJoinMs} ms) consensus (${t.consensusMs} ms) merge (${t.mergeMs} ms)`,
    `downcheck (${t.downcheckMs} ms) fail to recv const (${t.failRecvConst} msgs)`,
    `seqno unchanged const (${t.seqnoUnchangedConst} rotations) Maximum network MTU ${t.netMtu}`,
    `window size per rotation (${t.windowSize} messages) maximum messages per rotation (${t.maxMessages} messages)`,
    `missed count const (${t.missCountConst} messages)`,
    `send threads (${t.threads} threads)`,
    `heartbeat_failures_allowed (${t.heartbeatFailuresAllowed})`,
    `max_network_delay (${t.maxNetworkDelayMs} ms)`,
    "HeartBeat is Disabled. To enable set heartbeat_failures_allowed > 0",
  ];
  // Those two say otherwise in ways that no recording shows.
  const shown = texts.filter((text) => !text.startsWith("Token warning") || t.tokenWarningPercent > 0);
  const heartbeat = t.heartbeatFailuresAllowed > 0 ? shown.slice(0, -1) : shown;
  return [
    ...links.map((l) => debug("TOTEM", `Configuring link ${l.link} params`)),
    ...heartbeat.map((text) => debug("TOTEM", text)),
    begins,
  ];
}

export function knetLines(config: DaemonConfig | undefined): Line[] {
  if (config === undefined) return [...KNET_READY];
  const { model, cipher, hash } = config.crypto;
  const encrypts = cipher !== "none" || hash !== "none";
  return [
    debug("TOTEM", `knet_enable access list: ${config.totem.blockUnlistedIps ? 1 : 0}`),
    debug("TOTEM", "totemknet setting log level debug"),
    ...(encrypts ? [debug("TOTEM", `Configuring crypto ${model}/${cipher}/${hash} on index 1`)] : []),
    // Totem's own word on the MTU does not wait for what the library says.
    ...(config.totem.knetMtu > MTU_MAX ? [line("warning", "TOTEM", "knet_handle_pmtud_set failed: Invalid argument (22)")] : []),
    INITIALIZED,
    ...(config.totem.knetMtu > MTU_MAX ? [] : [manualMtu(config.totem.knetMtu)]),
    ...(encrypts ? [cryptoLoaded(model)] : []),
    ...compressing(config, true),
  ];
}

/** What knet says of compression, at both times it is told of it: with its handle, which loads the module, and with its links. */
export function compressing({ totem: t }: DaemonConfig, first = false): Line[] {
  const setting = { model: t.knetCompressionModel, level: t.knetCompressionLevel, threshold: t.knetCompressionThreshold };
  return compressLines(setting, first).map((l) => line(...l));
}

const INITIALIZED = line("info", "TOTEM", "totemknet initialized");
const manualMtu = (mtu: number): Line => line("info", "KNET", `pmtud: MTU manually set to: ${mtu}`);

function cryptoLoaded(model: string): Line {
  const file = `crypto_${model}.so`;
  return line("info", "KNET", `common: ${file} has been loaded from /usr/lib/x86_64-linux-gnu/kronosnet/${file}`);
}

const KNET_READY: readonly Line[] = [INITIALIZED, manualMtu(0), cryptoLoaded("nss")];

const loaded = (name: string, id: number): Line => line("notice", "SERV", `Service engine loaded: ${name} [${id}]`);
const server = (name: string): Line => line("info", "QB", `server name: ${name}`);

/** A service that clients may connect to. */
const served = (description: string, name: string, id: number): Line[] => [
  loaded(description, id),
  debug("MAIN", `Initializing IPC on ${name} [${id}]`),
  debug("MAIN", "No configured system.qb_ipc_type. Using native ipc"),
  server(name),
];
const unserved = (name: string, id: number): Line => debug("MAIN", `NOT Initializing IPC on ${name} [${id}]`);

/** Services loaded before the quorum provider. */
export const SERVICES_FIRST: readonly Line[] = [
  ...served("corosync configuration map access", "cmap", 0),
  ...served("corosync configuration service", "cfg", 1),
  ...served("corosync cluster closed process group service v1.01", "cpg", 2),
  loaded("corosync profile loading service", 4),
  unserved("pload", 4),
  loaded("corosync resource monitoring service", 6),
  unserved("mon", 6),
  debug("WD", "The Watchdog timeout is 6 seconds"),
  debug("WD", "The tickle timeout is 3000 ms"),
  line("warning", "WD", "Watchdog not enabled by configuration"),
  line("warning", "WD", "resource load_15min missing a recovery key."),
  line("warning", "WD", "resource memory_used missing a recovery key."),
  line("info", "WD", "no resources configured."),
  loaded("corosync watchdog service", 7),
  unserved("wd", 7),
];

export const ringLine = (ring: string): Line => debug("TOTEM", `Created or loaded sequence id ${ring} for this ring.`);

export const PROVIDER: Line = line("notice", "QUORUM", "Using quorum provider corosync_votequorum");

export const VOTEQUORUM_LOADED: readonly Line[] = served("corosync vote quorum service v1.0", "votequorum", 5);

/** What is said where the service's file for expected_votes_tracking can be neither read nor made. */
export const VOTEQUORUM_FAILED: readonly Line[] = [
  line("warning", "VOTEQ", "Unable to create /var/lib/corosync/ev_tracking file"),
  line("crit", "QUORUM", "Quorum provider: corosync_votequorum failed to initialize."),
  line("error", "SERV", "Service engine 'corosync_quorum' failed to load for reason 'Unable to load ev_tracking file!'"),
  line("error", "MAIN", "Corosync Cluster Engine exiting with status 20 at service.c:356."),
];

export const QUORUM_LOADED: readonly Line[] = served("corosync cluster quorum service v0.1", "quorum", 3);

export function linkLines(link: number, address: string, port: number): Line[] {
  return [
    line("info", "TOTEM", `Configuring link ${link}`),
    line("info", "TOTEM", `Configured link number ${link}: local addr: ${address}, port=${port}`),
  ];
}

/** What is said of the links as they are configured, up to the first that libknet does not take: there a start ends. */
export function links(config: DaemonConfig): { readonly lines: readonly Line[]; readonly refused: boolean } {
  const lines: Line[] = [];
  for (const link of config.links) {
    lines.push(...linkLines(link.link, link.address, link.mcastport));
    const refusal = linkRefusal(config, link);
    if (refusal !== undefined) return { lines: [...lines, ...refusal, exiting(EXIT_MAIN_CONFIG, "totemknet.c:864")], refused: true };
    lines.push(...timerLines(config, link));
  }
  return { lines, refused: false };
}

/** What ends a start at a link of this configuration: the lines before the last one, which names the place; undefined where nothing does. */
function linkRefusal(config: DaemonConfig, link: DaemonConfig["links"][number]): Line[] | undefined {
  const { refusesShortTimeouts, withoutSctp } = profileOf(config.release);
  if (withoutSctp && link.transport === "sctp") return [line("error", "TOTEM", "knet_link_set_config failed: Invalid argument (22)")];
  return refusesShortTimeouts && shortTimeout(link) ? timerLines(config, link) : undefined;
}

/** libknet: a pong count is one byte. */
export const PONGS_MAX = 255;

/** What is said of a link's ping timers as it is configured, host by host, the own one too. */
function timerLines({ nodes, release }: DaemonConfig, link: DaemonConfig["links"][number]): Line[] {
  const failed = (what: string, nodeId: number): Line =>
    line("error", "TOTEM", `knet_link_set_${what} for nodeid ${nodeId}, link ${link.link} failed: Invalid argument (22)`);
  const pongs = link.pongCount > PONGS_MAX;
  if (!profileOf(release).refusesShortTimeouts) return pongs ? nodes.map(({ nodeId }) => failed("pong_count", nodeId)) : [];
  return nodes.flatMap(({ nodeId }) => {
    const { refused, lines } = timersSaid(nodeId, link);
    return [...lines.map((said) => line(...said)), ...(refused ? [failed("ping_timers", nodeId)] : [])];
  });
}

export const SIGNALLED: Line = line("notice", "MAIN", "Node was shut down by a signal");

export const EXITING: Line = line("notice", "MAIN", "Corosync Cluster Engine exiting normally");

const exiting = (status: number, at: string): Line =>
  line("error", "MAIN", `Corosync Cluster Engine exiting with status ${status} at ${at}.`);

/** The lock file is another process's. */
export function locked({ lines }: ReleaseProfile): Line[] {
  return [
    line("error", "MAIN", "Another Corosync instance is already running."),
    line("error", "MAIN", `Corosync Cluster Engine exiting with status 18 at main.c:${lines.locked}.`),
  ];
}

export const UNLOADING: Line = line("notice", "SERV", "Unloading all Corosync service engines.");
const withdrawing: Line = line("info", "QB", "withdrawing server sockets");
const unloaded = (name: string): Line => line("notice", "SERV", `Service engine unloaded: ${name}`);

/** One group per service, in the order they are unloaded; those with clients withdraw their socket first. */
export const UNLOAD: readonly (readonly Line[])[] = [
  [withdrawing, unloaded("corosync vote quorum service v1.0")],
  [withdrawing, unloaded("corosync configuration map access")],
  [withdrawing, unloaded("corosync configuration service")],
  [withdrawing, unloaded("corosync cluster closed process group service v1.01")],
  [withdrawing, unloaded("corosync cluster quorum service v0.1")],
  [unloaded("corosync profile loading service")],
  [unloaded("corosync resource monitoring service")],
  [unloaded("corosync watchdog service")],
];

/** At the end knet removes every host with a link that is up, the own one with its loopback included, highest id first. */
export function removalLines(config: DaemonConfig, up: readonly LinkStatus[]): Line[] {
  const out: Line[] = [];
  for (const node of [...config.nodes].sort((a, b) => b.nodeId - a.nodeId)) {
    for (const [i, { link }] of config.links.entries()) {
      const there = node.nodeId === config.nodeId ? i === 0 : up.some((l) => l.to === node.nodeId && l.link === link);
      if (there) out.push(line("info", "KNET", `link: Resetting MTU for link ${link} because host ${node.nodeId} joined`));
    }
  }
  return out;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

type Timestamp = LoggingConfig["timestamp"];

const levelled = ({ level, subsystem, text }: Line): string => `${level.padEnd(7)} [${subsystem.padEnd(6)}] ${text}\n`;

/** A line as it goes to standard error: `Nov 20 10:24:04.731 notice  [MAIN  ] text`, the time as logging.timestamp wants it. */
export function terminalLine(unixMicros: number, timestamp: Timestamp, l: Line): string {
  return timeText(unixMicros, timestamp) + levelled(l);
}

/** As it goes to a file: `Nov 20 10:24:04 [702] pve1 corosync notice  [MAIN  ] text`; without a time the blank before the level is missing, too (observed). */
export function fileLine(
  unixMicros: number,
  timestamp: Timestamp,
  { pid, hostname }: { readonly pid: number; readonly hostname: string },
  l: Line,
): string {
  return `${timeText(unixMicros, timestamp)}[${pid}] ${hostname} corosync${timestamp === "off" ? "" : " "}${levelled(l)}`;
}

function timeText(unixMicros: number, timestamp: Timestamp): string {
  const c = civilFromUnix(unixMicros);
  const two = (n: number): string => String(n).padStart(2, "0");
  const seconds = `${MONTHS[c.month - 1]} ${two(c.day)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)}`;
  if (timestamp === "off") return "";
  return timestamp === "on" ? `${seconds} ` : `${seconds}.${String(Math.floor(c.micros / MS)).padStart(3, "0")} `;
}

/** The main loop's timer came this late. */
export function notScheduled(unixMicros: number, late: Duration, threshold: Duration): Line {
  const ms = (us: number): string => (us / MS).toFixed(4);
  const text = `Corosync main process was not scheduled (@${Math.floor(unixMicros / MS)}) for ${ms(late)} ms (threshold is ${ms(threshold)} ms).`;
  return line("warning", "MAIN", `${text} Consider token timeout increase.`);
}
