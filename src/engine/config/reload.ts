/**
 * What a running daemon makes of its file when it reads it again (corosync-cfgtool -R): what it takes over, what it cannot change at run time, and why it
 * keeps what it has. In the real stack: message_handler_req_exec_cfg_reload_config of cfg.c with the reload half of totemconfig. Sources: reloads of
 * corosync 3.1.7, observed. Its checks are fewer than a start's: the link mode, the quorum section and the logging section are taken as they are.
 */
import { LINKS_MAX } from "../kernel/limits.ts";
import type { DaemonConfig, DaemonNode, HostFacts } from "./daemon.ts";
import { rereadLoggers } from "./loggers.ts";
import { readLinks } from "./links.ts";
import type { ParseOutcome } from "./parse.ts";
import { endsBy, parserMessage } from "./parse.ts";
import { readQuorum } from "./quorum.ts";
import type { ReleaseProfile } from "./release.ts";
import { effectiveTotem } from "./timers.ts";
import type { ConfValue, ConfValues } from "./values.ts";
import { numberOf, stringOf } from "./values.ts";
import { KEYFILE_DEFAULT, duplicateId, keyRefusal, linkConfig, readCrypto, readLinkMode, timerRefusal, topologyRefusal } from "./verify.ts";

/** Keys of the live map under these go when the file no longer has them. */
export const RELOADED_PREFIXES: readonly string[] = ["logging.", "totem.", "nodelist.", "quorum.", "uidgid.config.", "nozzle."];

/** What a reload leaves as it is, in the order in which the daemon says so. */
const FIXED: readonly { readonly key: string; readonly in?: "ipDscp" | "rrpKeys" }[] = [
  ...["totem.version", "totem.threads", "totem.ip_version"].map((key) => ({ key })),
  { key: "totem.ip_dscp", in: "ipDscp" },
  { key: "totem.rrp_mode", in: "rrpKeys" },
  ...[
    "totem.netmtu",
    "totem.transport",
    "totem.cluster_name",
    "quorum.provider",
    "system.move_to_root_cgroup",
    "system.allow_knet_handle_fallback",
    "system.sched_rr",
    "system.priority",
    "system.qb_ipc_type",
    "system.state_dir",
  ].map((key) => ({ key })),
];

/** The verdict, with what happens to the live map in any case. */
interface Staged {
  /** Changed in the file, and kept out. */
  readonly fixed: readonly string[];
  /** Keys of the file without those. */
  readonly values: ConfValues;
  /** Links the file defines with their ping timers, which are filed even where the file is refused later. */
  readonly links: DaemonConfig["links"];
}

export type Reread =
  /** The file does not parse; nothing happens, unless the parser ends the daemon by a signal. */
  | { readonly kind: "unparsed"; readonly text: string; readonly signal: "SIGABRT" | "SIGSEGV" | undefined }
  /** Refused: `lines` are what Totem says first, `text` the reason. */
  | (Staged & { readonly kind: "refused"; readonly lines: readonly string[]; readonly text: string })
  | (Staged & { readonly kind: "accepted"; readonly config: DaemonConfig });

const same = (a: ConfValue, b: ConfValue | undefined): boolean => b !== undefined && a.type === b.type && a.text === b.text;

function stage(values: ConfValues, live: ConfValues, profile: ReleaseProfile): { fixed: string[]; staged: Map<string, ConfValue> } {
  const staged = new Map(values);
  const keys = FIXED.filter((row) => row.in === undefined || profile[row.in]).map(({ key }) => key);
  const fixed = keys.filter((key) => {
    const value = staged.get(key);
    return value !== undefined && !same(value, live.get(key)) && staged.delete(key);
  });
  return { fixed, staged };
}

/** An address of a node that stays on a link that stays must stay too: what Totem says of each that does not. */
function movedAddresses(running: readonly DaemonNode[], nodes: readonly DaemonNode[]): string[] {
  const lines: string[] = [];
  for (let link = 0; link < LINKS_MAX; link++) {
    for (const old of running) {
      const before = old.addresses[link] ?? "";
      for (const node of nodes) {
        const after = node.addresses[link] ?? "";
        if (node.nodeId !== old.nodeId || before === "" || after === "" || before === after) continue;
        lines.push(
          `new config has different address for link ${link} (addr changed from ${before} to ${after}). Internal value was NOT changed.`,
        );
      }
    }
  }
  return lines;
}

const MOVED =
  "To reconfigure an interface it must be deleted and recreated. A working interface needs to be available to corosync at all times";

/**
 * @param running what the daemon runs with
 * @param live its key map's entries, as configuration values
 * @param named the file's name in messages
 */
export function rereadConf(parsed: ParseOutcome, running: DaemonConfig, live: ConfValues, host: HostFacts, named?: string): Reread {
  const first = parsed.errors[0];
  if (first !== undefined) return { kind: "unparsed", text: parserMessage(first, parsed.profile, named), signal: endsBy(first.exitCode) };
  const { fixed, staged } = stage(parsed.values, live, parsed.profile);
  const refused = (links: DaemonConfig["links"], text: string, lines: readonly string[] = []): Reread => ({
    kind: "refused",
    fixed,
    values: staged,
    links,
    lines,
    text,
  });
  // Links beyond the last possible one are not looked at here (observed), unlike at a start.
  const known = new Map([...staged].filter(([key]) => !(Number(/^totem\.interface\.([0-9]+)\./.exec(key)?.[1] ?? 0) >= LINKS_MAX)));
  const table = readLinks(known, host, running.ipVersion, running.transport === "knet");
  if ("text" in table) return refused([], `Cannot configure new interface definitions: ${table.text}`);
  const local = table.nodes.find((n) => n.position === table.local);
  // Of old the ping timers come from the token timeout in force so far, and follow a changed one only with the next reload.
  const tokenMs = parsed.profile.pingTimersFollowToken ? effectiveTotem(staged).tokenMs : running.totem.tokenMs;
  const links = table.links
    .filter((link) => (local?.addresses[link] ?? "") !== "")
    .map((link) => linkConfig(staged, link, local?.addresses[link] ?? "", tokenMs));
  const moved = movedAddresses(running.nodes, table.nodes);
  if (moved.length > 0) return refused(links, `Cannot configure new interface definitions: ${MOVED}`, moved);
  // netmtu is read at a start alone
  const totem = { ...effectiveTotem(staged), netMtu: running.totem.netMtu };
  const crypto = readCrypto(staged);
  const noKey =
    crypto.cipher !== "none" && crypto.hash === "none"
      ? "crypto_cipher requires crypto_hash with value other than none"
      : keyRefusal(staged, crypto, host)?.text;
  if (noKey !== undefined) return refused(links, `Crypto configuration is not valid: ${noKey}`);
  const invalid = timerRefusal(staged, totem) ?? topologyRefusal(staged, table);
  if (invalid !== undefined) return refused(links, `Configuration is not valid: parse error in config: ${invalid.text}`);
  const twice = duplicateId(table);
  if (twice !== undefined) return refused(links, `Configuration is not valid: ${twice.text}`);
  const config: DaemonConfig = {
    ...running,
    localPosition: local?.position ?? running.localPosition,
    nodes: table.nodes,
    links,
    totem,
    quorum: readQuorum(staged),
    configVersion: numberOf(staged, "totem.config_version", "u64") ?? 0,
    linkMode: readLinkMode(staged),
    crypto,
    keyfile: stringOf(staged, "totem.keyfile") ?? KEYFILE_DEFAULT,
    logging: rereadLoggers(staged, running.logging),
  };
  return { kind: "accepted", fixed, values: staged, links, config };
}
