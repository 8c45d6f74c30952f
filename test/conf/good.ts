/** The files the recordings start from, and small edits of them. */
import { writePveConf, type HostFacts } from "../../src/engine/config/index.ts";

const LOGGING = { logfile: "/var/log/corosync/corosync.log", timestamp: "hires", to_logfile: "yes" };

/** `nodes` nodes node1, node2 … on `links` links, as the recorded clusters have them. */
export function goodConf(nodes: number, links = 1): string {
  return writePveConf({
    clusterName: "labcluster",
    configVersion: 1,
    nodes: Array.from({ length: nodes }, (_, i) => ({
      name: `node${i + 1}`,
      nodeId: i + 1,
      votes: 1,
      addresses: Array.from({ length: links }, (_, k) => `10.10.${k}.${i + 1}`),
    })),
    links: Array.from({ length: links }, (_, link) => ({ link })),
    logging: LOGGING,
  });
}

/** The machine the recordings were made on: node1. Names do not resolve. */
export const node1: HostFacts = { hostname: "node1", addresses: ["10.10.0.1", "10.10.1.1"], resolve: () => [], authkeyBytes: () => 256 };

/** `text` with `from` replaced, which must be in it. `all`: everywhere; `last`: its last occurrence. */
export function replace(text: string, from: string, to: string, where: "first" | "last" | "all" = "first"): string {
  if (!text.includes(from)) throw new Error(`the file has no ${JSON.stringify(from)}`);
  if (where === "all") return text.replaceAll(from, to);
  const at = where === "first" ? text.indexOf(from) : text.lastIndexOf(from);
  return text.slice(0, at) + to + text.slice(at + from.length);
}

/** `text` with a line added in a section, where its name sorts among the keys there. */
export function withKey(text: string, section: "totem" | "quorum" | "logging", line: string): string {
  const lines = text.split("\n");
  let at = lines.indexOf(`${section} {`) + 1;
  while (lines[at] !== "}" && (lines[at] ?? "").trim() < line.trim()) {
    at++;
    // a subsection is stepped over whole
    while ((lines[at] ?? "").startsWith("    ") || lines[at] === "  }") at++;
  }
  lines.splice(at, 0, `  ${line}`);
  return lines.join("\n");
}
