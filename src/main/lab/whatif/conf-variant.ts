/** A corosync.conf with other votes, options or another QDevice: what `whatif` compares a design with. The files of the lab stay as they are. */
import { parseConf, printConf, type ConfEntry } from "../../../engine/config/index.ts";
import type { Variation } from "../api.ts";

const place = { line: 0, column: 0 } as const;

function key(name: string, value: string | number): ConfEntry {
  return { kind: "key", name, value: String(value), ...place, valueColumn: 0 };
}

function section(name: string, entries: readonly ConfEntry[]): ConfEntry {
  return { kind: "section", name, entries, ...place, endLine: 0 };
}

function withKey(entries: readonly ConfEntry[], name: string, value: string | number): ConfEntry[] {
  return [...entries.filter((e) => e.kind !== "key" || e.name !== name), key(name, value)];
}

function valueOf(entries: readonly ConfEntry[], name: string): string | undefined {
  return entries.reduce<string | undefined>((last, e) => (e.kind === "key" && e.name === name ? e.value : last), undefined);
}

function nodesIn(entries: readonly ConfEntry[]): number {
  return entries.reduce((sum, e) => sum + (e.kind === "section" && e.name === "node" ? 1 : 0), 0);
}

function withVotes(entries: readonly ConfEntry[], votes: Readonly<Record<string, number>>): ConfEntry[] {
  return entries.map((e) => {
    if (e.kind !== "section" || e.name !== "node") return e;
    const own = votes[(valueOf(e.entries, "name") ?? "").split(".")[0] ?? ""];
    return own === undefined ? e : { ...e, entries: withKey(e.entries, "quorum_votes", own) };
  });
}

function device(algorithm: "ffsplit" | "lms", host: string, nodes: number): ConfEntry {
  // As pvecm sets it up: one vote for a tie, or as many as nodes but one.
  return section("device", [
    key("model", "net"),
    key("votes", algorithm === "ffsplit" ? 1 : Math.max(1, nodes - 1)),
    section("net", [key("algorithm", algorithm), key("host", host), key("tls", "off")]),
  ]);
}

/** The file as it would be. `host`: where a QDevice that is put in finds its server. */
export function variedConf(text: string, variation: Variation, host: string): string {
  const { conf } = parseConf(text);
  const nodes = conf.entries.reduce((sum, e) => sum + (e.kind === "section" && e.name === "nodelist" ? nodesIn(e.entries) : 0), 0);
  const entries = conf.entries.map((e) =>
    e.kind === "section" && e.name === "nodelist" ? { ...e, entries: withVotes(e.entries, variation.votes ?? {}) } : e,
  );
  const options: [string, boolean | undefined][] = [
    ["two_node", variation.twoNode],
    ["wait_for_all", variation.waitForAll],
    ["last_man_standing", variation.lastManStanding],
    ["auto_tie_breaker", variation.autoTieBreaker],
  ];
  const set = options.flatMap(([name, on]) => (on === undefined ? [] : [key(name, on ? 1 : 0)]));
  const { qdevice } = variation;
  const kept = entries.map((e) =>
    qdevice === undefined || e.kind !== "section" || e.name !== "quorum"
      ? e
      : { ...e, entries: e.entries.filter((inner) => inner.name !== "device") },
  );
  // A section that comes again is joined with the first, and its keys win.
  const added = [...set, ...(qdevice === undefined || qdevice === "none" ? [] : [device(qdevice, host, nodes)])];
  return printConf({ ...conf, entries: [...kept, ...(added.length > 0 ? [section("quorum", added)] : [])] });
}
