/**
 * What the daemon makes of the file: typed keys in its configuration map (cmap), or the first thing it refuses. In the real stack this is the
 * callback of coroparse with its states per section. Every key is a string but for the known numbers; interface sections are filed under their
 * `linknumber`, nodes under their position, logger subsections under their `subsys`. A later value replaces an earlier one, type included; a
 * second `nodelist` section counts its nodes from 0 again, as the daemon does. Lists that a section collects (members, a logger's items) are filed last first, and a section
 * nested in one of those frees them under the daemon, which dies of it (observed).
 */
import type { AccountKind, Accounts } from "./accounts.ts";
import { isAccountName, notFound } from "./accounts.ts";
import type { Conf, ConfEntry, ConfError, ConfKey, ConfSection } from "./ast.ts";
import { EXIT_ABORT, EXIT_CRASH, EXIT_MAIN_CONFIG } from "./ast.ts";
import { dscpOf } from "./dscp.ts";
import { ERRORS_MAX, KEY_NAME_MAX, utf8Length } from "./grammar.ts";
import type { ReleaseProfile } from "./release.ts";

export type ValueType = "u8" | "u16" | "u32" | "i32" | "u64" | "str";

/** One key of the map. `text` is the decimal number, or the string. The place is that of the line that set it. */
export interface ConfValue {
  readonly type: ValueType;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** Keys in the order in which they were first set. */
export type ConfValues = ReadonlyMap<string, ConfValue>;

const RANGE: Readonly<Record<Exclude<ValueType, "str" | "u64">, readonly [bigint, bigint]>> = {
  u8: [0n, 255n],
  u16: [0n, 65_535n],
  u32: [0n, 4_294_967_295n],
  i32: [-2_147_483_648n, 2_147_483_647n],
};

function types(type: ValueType, prefix: string, names: string): [string, ValueType][] {
  return names.split(" ").map((name) => [prefix + name, type]);
}

/** Numeric keys by full path, as far as the section they stand in is the daemon's own. */
const TYPED: ReadonlyMap<string, ValueType> = new Map([
  ...types(
    "u32",
    "totem.",
    "version nodeid threads token token_coefficient token_retransmit token_warning hold token_retransmits_before_loss_const join send_join " +
      "consensus merge downcheck fail_recv_const seqno_unchanged_const heartbeat_failures_allowed " +
      "max_network_delay window_size max_messages miss_count_const knet_pmtud_interval knet_mtu netmtu knet_compression_threshold",
  ),
  ...types("i32", "totem.", "knet_compression_level"),
  ...types("u64", "totem.", "config_version"),
  ...types(
    "u32",
    "quorum.",
    "expected_votes votes last_man_standing_window leaving_timeout device.timeout device.sync_timeout device.votes",
  ),
  ...types(
    "u8",
    "quorum.",
    "two_node wait_for_all last_man_standing auto_tie_breaker allow_downscale expected_votes_tracking device.master_wins",
  ),
  ...types("u8", "totem.interface.", "linknumber ttl knet_link_priority"),
  ...types("u16", "totem.interface.", "mcastport"),
  ...types("u32", "totem.interface.", "knet_ping_interval knet_ping_timeout knet_ping_precision knet_pong_count"),
  ...types("u64", "resources.", "system.memory_used.poll_period system.load_15min.poll_period process.memory_used.poll_period"),
]);

/** Numbers of corosync 2's redundant rings. */
const RRP_TYPED: ReadonlyMap<string, ValueType> = new Map(
  types(
    "u32",
    "totem.",
    "rrp_token_expired_timeout rrp_problem_count_timeout rrp_problem_count_threshold rrp_problem_count_mcast_threshold " +
      "rrp_autorecovery_check_timeout",
  ),
);

/** Keys of an interface section that are filed under the link number. */
const INTERFACE_KEYS: ReadonlySet<string> = new Set(
  (
    "linknumber bindnetaddr mcastaddr broadcast mcastport ttl knet_link_priority knet_ping_interval knet_ping_timeout knet_ping_precision " +
    "knet_pong_count knet_transport"
  ).split(" "),
);

/** Keys with a closed list of values, and what the daemon says otherwise. */
const CHOICES: ReadonlyMap<string, readonly [values: string, refusal: string]> = new Map([
  ["totem.ip_version", ["ipv4 ipv6 ipv4-6 ipv6-4", "Invalid ip_version type"]],
  ["totem.crypto_model", ["nss openssl", "Invalid crypto model. Should be nss or openssl"]],
  ["totem.crypto_cipher", ["none aes256 aes192 aes128", "Invalid cipher type. Should be none, aes256, aes192 or aes128"]],
  ["totem.crypto_hash", ["none md5 sha1 sha256 sha384 sha512", "Invalid hash type. Should be none, md5, sha1, sha256, sha384 or sha512"]],
  [
    "totem.knet_compression_model",
    ["zlib lz4 lz4hc lzo2 lzma bzip2 zstd", "Invalid compression model. Should be zlib, lz4, lz4hc, lzo2, lzma, bzip2 or zstd"],
  ],
  ["system.qb_ipc_type", ["native shm socket", "Invalid system.qb_ipc_type"]],
  ["system.sched_rr", ["yes no", "Invalid system.sched_rr value"]],
  ["system.move_to_root_cgroup", ["yes no auto", "Invalid system.move_to_root_cgroup"]],
  ["system.allow_knet_handle_fallback", ["yes no", "Invalid system.allow_knet_handle_fallback"]],
]);

/** Keys that the reader itself knows: by their type or by the values they may have. */
export const READER_KEYS: readonly string[] = [...TYPED.keys(), ...RRP_TYPED.keys(), ...CHOICES.keys()];

/** What kind of section the parser is in; a section it does not know keeps its parent's. */
type State =
  | "normal"
  | "totem"
  | "interface"
  | "member"
  | "system"
  | "quorum"
  | "qdevice"
  | "nodelist"
  | "node"
  | "subsys"
  | "daemon"
  | "uidgid"
  | "resources";

const STATE_AT: ReadonlyMap<string, State> = new Map<string, State>([
  ["totem", "totem"],
  ["totem.interface", "interface"],
  ["totem.interface.member", "member"],
  ["system", "system"],
  ["quorum", "quorum"],
  ["quorum.device", "qdevice"],
  ["nodelist", "nodelist"],
  ["nodelist.node", "node"],
  ["logging.logger_subsys", "subsys"],
  ["logging.logging_daemon", "daemon"],
  ["uidgid", "uidgid"],
  ["resources.system", "resources"],
  ["resources.process", "resources"],
  ["resources.system.memory_used", "resources"],
  ["resources.system.load_15min", "resources"],
  ["resources.process.memory_used", "resources"],
]);

/** Sections that have rules of their own about sections in them. */
const WITH_RULES: ReadonlySet<State> = new Set<State>(["uidgid", "member", "node", "subsys"]);

const sectionOf = (state: State): string => (state === "node" ? "nodelist.node" : "logging.logger_subsys");

const STATES_WITH_NUMBERS: ReadonlySet<State> = new Set<State>(["totem", "interface", "quorum", "qdevice", "resources"]);

/** strtoll with nothing after the number; undefined if it is none. */
function wholeNumber(text: string): bigint | undefined {
  return /^[ \t\n\v\f\r]*[+-]?[0-9]+$/.test(text) ? BigInt(text.trim().replace("+", "")) : undefined;
}

const U64 = 1n << 64n;
/** corosync: no user and no group has this number, which is -1 to it. */
const ACCOUNT_MAX = 4_294_967_295n;

/** The number as the map holds it, or what the daemon says. */
function number(
  path: string,
  type: Exclude<ValueType, "str">,
  text: string,
  { checksLongNumbers }: ReleaseProfile,
): { text: string } | { refusal: string; exitCode: number } {
  const n = wholeNumber(text);
  if (type === "u64") {
    // strtoull: a minus sign wraps around; anything else that does not fit is refused, or runs into an assertion of the daemon
    if (n === undefined || n >= U64 || n <= -U64) {
      if (checksLongNumbers) {
        const refusal = `Value of key "${path}" is expected to be unsigned integer, but "${text}" was given`;
        return { refusal, exitCode: EXIT_MAIN_CONFIG };
      }
      return {
        refusal: "main_config_parser_cb: Assertion `safe_atoq_range(val_type, &min_val, &max_val) == 0' failed.",
        exitCode: EXIT_ABORT,
      };
    }
    return { text: String(BigInt.asUintN(64, n)) };
  }
  const [min, max] = RANGE[type];
  if (n === undefined || n < min || n > max) {
    return {
      refusal: `Value of key "${path}" is expected to be integer in range (${min}..${max}), but "${text}" was given`,
      exitCode: EXIT_MAIN_CONFIG,
    };
  }
  return { text: String(n) };
}

function isKeyName(name: string): boolean {
  return name.length >= 3 && name.length <= KEY_NAME_MAX && /^[A-Za-z0-9._\-/:]*$/.test(name);
}

/** What glibc prints as it ends a process that frees a text twice. */
export const DOUBLE_FREE = "free(): double free detected in tcache 2";
/** What it prints as it ends one that writes past the end of a text. */
export const OVERFLOW = "*** buffer overflow detected ***: terminated";
/** corosync: bytes of the text that says an account is not found, with its NUL. */
const NOT_FOUND_BYTES = 512;
const USE_AFTER_FREE = "a section inside of one whose items the daemon collects: it reads what it has freed";

class Store {
  readonly values = new Map<string, ConfValue>();
  readonly errors: ConfError[] = [];
  private nodeNumber = 0;
  /** What a section has freed that was nested in the one being read. */
  private freed: "nothing" | "name" | "items" = "nothing";
  /** Items of the interface, logger or daemon section being read. */
  private items: { key: ConfKey; name: string; type: ValueType; text: string }[] = [];
  private members = 0;
  private link = "0";

  constructor(
    private readonly profile: ReleaseProfile,
    private readonly accounts: Accounts | undefined,
  ) {}

  private fail(line: number, column: number, text: string, exitCode = EXIT_MAIN_CONFIG): void {
    if (this.errors.length < ERRORS_MAX) this.errors.push({ line, column, text, exitCode });
  }

  private set(path: string, type: ValueType, text: string, at: ConfKey): void {
    if (path === "" && this.profile.refusesEmptyNames) return this.fail(at.line, at.column, "Key name can't be empty");
    if (!isKeyName(path)) {
      return this.fail(at.line, at.column, `Can't store key "${path}" into icmap, returned error is CS_ERR_NAME_TOO_LONG`);
    }
    this.values.set(path, { type, text, line: at.line, column: at.valueColumn });
  }

  entries(entries: readonly ConfEntry[], path: string, state: State): void {
    for (const entry of entries) {
      if (entry.kind === "key") this.key(entry, path === "" ? entry.name : `${path}.${entry.name}`, state);
      else this.section(entry, path === "" ? entry.name : `${path}.${entry.name}`, state);
    }
  }

  private section(section: ConfSection, path: string, outer: State): void {
    if (this.profile.subsectionRules && WITH_RULES.has(outer)) return this.nested(section, path, outer);
    const state = STATE_AT.get(path) ?? outer;
    if (STATE_AT.has(path) && (state === "interface" || state === "subsys" || state === "daemon")) {
      this.items = [];
      this.members = 0;
      this.link = "0";
      this.freed = "nothing";
    }
    if (path === "nodelist") this.nodeNumber = 0;
    this.entries(section.entries, path, state);
    if (section.endLine === undefined) return;
    // every section that ends in such a state counts, also one nested in it that the daemon does not know (observed)
    if (state === "interface") this.closeInterface(section.endLine);
    else if (state === "subsys") this.closeSubsys(section.endLine);
    else if (state === "daemon") this.closeDaemon(section.endLine);
    else if (state === "node") this.nodeNumber++;
  }

  /** A section in one whose items the daemon collects: refused, or its keys are filed in the one around it by their names in full. */
  private nested(section: ConfSection, path: string, outer: State): void {
    if (outer === "uidgid" || outer === "member") {
      const name = outer === "uidgid" ? outer : "totem.interface.member";
      return this.fail(section.line, section.column, `Subsections are not allowed within ${name} section`);
    }
    for (const entry of section.entries) {
      if (entry.kind === "section") this.nested(entry, `${path}.${entry.name}`, outer);
      else {
        const name = `${path}.${entry.name}`.slice(sectionOf(outer).length + 1);
        if (outer === "node") this.set(`nodelist.node.${this.nodeNumber}.${name}`, "str", entry.value, entry);
        else this.items.push({ key: entry, name, type: "str", text: entry.value });
      }
    }
  }

  private key(key: ConfKey, path: string, state: State): void {
    const choice = CHOICES.get(path);
    if (choice !== undefined && (state === "totem" || state === "system") && !choice[0].split(" ").includes(key.value)) {
      return this.fail(key.line, key.valueColumn, choice[1]);
    }
    if (state === "node") return this.nodeKey(key);
    if (state === "member" && key.name !== "memberaddr")
      return this.fail(key.line, key.column, "Only memberaddr is allowed in member section");
    if (state === "uidgid") return this.uidgid(key);
    if (state === "subsys" || state === "daemon") {
      this.items.push({ key, name: key.name, type: "str", text: key.value });
      return;
    }
    if (path === "totem.ip_dscp" && state === "totem" && this.profile.ipDscp) return this.dscp(path, key);
    const type = STATES_WITH_NUMBERS.has(state) ? this.typeOf(path) : undefined;
    const text = this.typed(path, type ?? "str", key);
    if (text === undefined) return;
    if (state === "member") {
      this.members++;
      this.items.push({ key, name: "member", type: "str", text });
    } else if (state === "interface" && path === `totem.interface.${key.name}` && INTERFACE_KEYS.has(key.name)) {
      this.items.push({ key, name: key.name, type: type ?? "str", text });
    } else this.set(path, type ?? "str", text, key);
  }

  private typeOf(path: string): ValueType | undefined {
    return TYPED.get(path) ?? (this.profile.rrpKeys ? RRP_TYPED.get(path) : undefined);
  }

  private dscp(path: string, key: ConfKey): void {
    const code = dscpOf(key.value);
    if (code !== undefined) return this.set(path, "u8", String(code), key);
    const expected = "is expected to be number (0..63) or symbolical dscp value";
    this.fail(key.line, key.valueColumn, `Value of key "${path}" ${expected}, but "${key.value}" was given`);
  }

  /** The value in its type, or undefined after an error. */
  private typed(path: string, type: ValueType, key: ConfKey): string | undefined {
    if (type === "str") return key.value;
    const n = number(path, type, key.value, this.profile);
    if ("text" in n) return n.text;
    this.fail(key.line, key.valueColumn, n.refusal, n.exitCode);
    return undefined;
  }

  private nodeKey(key: ConfKey): void {
    const path = `nodelist.node.${this.nodeNumber}.${key.name}`;
    const type: ValueType = key.name === "nodeid" || key.name === "quorum_votes" ? "u32" : "str";
    const text = this.typed(path, type, key);
    if (text !== undefined) this.set(path, type, text, key);
  }

  private uidgid(key: ConfKey): void {
    if (key.name !== "uid" && key.name !== "gid") return this.fail(key.line, key.column, "uidgid: Only uid and gid are allowed items");
    const id = this.accountNumber(key.name === "uid" ? "user" : "group", key);
    if (id !== undefined) this.set(`uidgid.config.${key.name}.${id}`, "u8", "1", key);
  }

  /** A number as it stands, or what the host has under that name. Of a name that only a host can judge nothing is said. */
  private accountNumber(kind: AccountKind, key: ConfKey): bigint | undefined {
    const id = wholeNumber(key.value);
    if (id === ACCOUNT_MAX) {
      // -1 to the daemon: an error that nobody gave a reason for
      this.fail(key.line, key.valueColumn, "");
      return undefined;
    }
    if (id !== undefined && id >= 0n && id < ACCOUNT_MAX) return id;
    const known = key.value === "root" ? 0 : this.accounts?.[kind](key.value);
    if (known !== undefined) return BigInt(known);
    if (this.accounts === undefined && isAccountName(key.value)) return undefined;
    const text = notFound(kind, key.value);
    if (utf8Length(text) >= NOT_FOUND_BYTES) this.fail(key.line, key.valueColumn, OVERFLOW, EXIT_ABORT);
    else this.fail(key.line, key.valueColumn, text);
    return undefined;
  }

  private closeInterface(endLine: number): void {
    if (this.freed === "items") return this.fail(endLine, 1, USE_AFTER_FREE, EXIT_CRASH);
    for (const item of this.items) if (item.name === "linknumber") this.link = item.text;
    let members = this.members;
    for (const item of this.items) {
      if (item.name === "linknumber") continue;
      const name = item.name === "member" ? `member.${--members}` : item.name;
      this.set(`totem.interface.${this.link}.${name}`, item.type, item.text, item.key);
    }
    if (this.members > 0) this.freed = "items";
    this.members = 0;
    this.items = [];
  }

  /** Whether what a logger section collects is there no more when it is filed: its items, or its name unless there is a new one. */
  private lost(nameKey: string, endLine: number): boolean {
    if (this.freed === "nothing" || (this.freed === "name" && this.itemText(nameKey) !== undefined)) return false;
    if (this.freed === "items") this.fail(endLine, 1, USE_AFTER_FREE, EXIT_CRASH);
    else this.fail(endLine, 1, DOUBLE_FREE, EXIT_ABORT);
    return true;
  }

  /** Files the items of a logger section, so that the first of two with one name stays; the name key comes last, and what is wrong shows at the closing brace (observed). */
  private file(prefix: string, nameKey: string, endLine: number): void {
    const named = this.items.filter((item) => item.name === nameKey).slice(-1);
    const others = this.items.filter((i) => i.name !== nameKey).reverse();
    this.freed = others.length > 0 ? "items" : "name";
    for (const item of [...others, ...named]) {
      // the daemon cuts a path that does not fit its buffer
      const path = (prefix + item.name).slice(0, KEY_NAME_MAX - 1);
      if (isKeyName(path)) this.set(path, "str", item.text, item.key);
      else this.fail(endLine, 1, `Can't store key "${path}" into icmap, returned error is CS_ERR_NAME_TOO_LONG`);
    }
    this.items = [];
  }

  private itemText(name: string): string | undefined {
    return this.items.filter((item) => item.name === name).slice(-1)[0]?.text;
  }

  private closeSubsys(endLine: number): void {
    if (this.lost("subsys", endLine)) return;
    const subsys = this.itemText("subsys");
    if (subsys === undefined) return this.fail(endLine, 1, "No subsys key in logger_subsys directive");
    this.file(`logging.logger_subsys.${subsys}.`, "subsys", endLine);
  }

  private closeDaemon(endLine: number): void {
    if (this.lost("name", endLine)) return;
    const name = this.itemText("name");
    const subsys = this.itemText("subsys");
    if (name === undefined) return this.fail(endLine, 1, "No name key in logging_daemon directive");
    if (name !== "corosync")
      return this.file(`logging.logging_daemon.${name}.${subsys === undefined ? "" : `${subsys}.`}`, "name", endLine);
    // corosync's own settings given as a daemon's are the ordinary ones
    this.items = this.items.filter((item) => item.name !== "name");
    this.file(subsys === undefined ? "logging." : `logging.logger_subsys.${subsys}.`, "subsys", endLine);
  }
}

/** The map after reading `conf`, and what the daemon refuses in it, in the order of the file. */
export function storeValues(conf: Conf, profile: ReleaseProfile, accounts?: Accounts): { values: ConfValues; errors: ConfError[] } {
  const store = new Store(profile, accounts);
  store.entries(conf.entries, "", "normal");
  return { values: store.values, errors: store.errors };
}

/** A string of the map; undefined if absent or a number. */
export function stringOf(values: ConfValues, key: string): string | undefined {
  const value = values.get(key);
  return value?.type === "str" ? value.text : undefined;
}

/** A number of the map of that type; undefined if absent, or set with another type (as the daemon sees it). */
export function numberOf(values: ConfValues, key: string, type: Exclude<ValueType, "str">): number | undefined {
  const value = values.get(key);
  return value?.type === type ? Number(value.text) : undefined;
}
