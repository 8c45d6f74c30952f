/** What the real `corosync -t` says of many files, one after the other on one host, and what the lab says of them there. */
import { readFileSync } from "node:fs";
import { accountsOf, checkConf, isHostName, parseConf, verifyConf, type Accounts, type HostFacts } from "../../src/engine/config/index.ts";
import type { RealHosts } from "./real-hosts.ts";

/** Files a call: a host's shell may take a minute for them on a busy machine. */
const BATCH = 50;
const FILES = "/run/files";

/** For each line of the list a file: the status and what was said, both on a line. */
const SCRIPT = `while read -r file; do
  echo "$file" | base64 -d > /etc/corosync/corosync.conf
  (exec corosync -t) > /run/said 2>&1; echo "$? $(base64 -w 0 /run/said)"
done < ${FILES} 2> /dev/null`;

export interface Said {
  /** As a shell has it. */
  readonly status: number;
  /** Without times, levels and the line about the exit; debug lines left out. */
  readonly lines: readonly string[];
}

/** Last lines of a start, of no interest. */
const ending = (line: string): boolean => line === "" || line.startsWith("Corosync Cluster Engine exiting");

export function realVerdicts(hosts: RealHosts, name: string, files: readonly string[]): Said[] {
  const out: Said[] = [];
  for (let at = 0; at < files.length; at += BATCH) {
    const batch = files.slice(at, at + BATCH).map((text) => Buffer.from(text).toString("base64"));
    hosts.write(name, FILES, `${batch.join("\n")}\n`, "0600");
    const ran = hosts.run(name, "sh", "-c", SCRIPT);
    const lines = ran.stdout.split("\n").filter((line) => line !== "");
    if (lines.length !== batch.length) throw new Error(`${lines.length} answers to ${batch.length} files\n${ran.stderr}`);
    for (const line of lines) {
      const [status = "", said = ""] = line.split(" ");
      const plain = Buffer.from(said, "base64")
        .toString("utf8")
        .split("\n")
        .map((l) => l.replace(/^[A-Z][a-z]{2} +\d+ [\d:.]+ /, ""))
        .filter((l) => !/^debug +\[/.test(l))
        .map((l) => l.replace(/^[a-z]+ +\[MAIN *\] /, ""));
      out.push({ status: Number(status), lines: plain.filter((l) => !ending(l)) });
    }
  }
  return out;
}

export interface KnownHost extends HostFacts {
  /** Undefined: names of users and groups are left alone. */
  readonly accounts?: Accounts;
}

/** What a host of this computer knows: its users, its groups, the names of its own /etc/hosts. */
export function hostHere(hostname: string, addresses: readonly string[], key: string): KnownHost {
  const read = (path: string): string => readFileSync(path, "utf8");
  const named = read("/etc/hosts")
    .split("\n")
    .map((line) => (line.split("#")[0] ?? "").trim().toLowerCase().split(/\s+/));
  return {
    hostname,
    addresses,
    resolve: (name) => named.filter(([, ...names]) => names.includes(name.toLowerCase())).map(([address = ""]) => address),
    authkeyBytes: (path) => (path === key ? 256 : null),
    accounts: accountsOf(read("/etc/passwd"), read("/etc/group")),
  };
}

/** What the lab's own `corosync -t` says on that host. */
export function verdictHere(text: string, host: KnownHost): Said {
  const verdict = verifyConf(parseConf(text, host.accounts), host);
  // -t does not load services
  const stands = verdict.ok || verdict.stage === "services";
  const lines = verdict.messages.filter((m) => !stands || m.level === "warning").flatMap((m) => m.text.split("\n"));
  return { status: stands ? 0 : verdict.exitCode, lines: lines.filter((l) => !ending(l)) };
}

/** The refusals of `conf check`, without those of services. */
export function refusalsHere(text: string): string[] {
  return checkConf(text)
    .filter((f) => f.severity === "error" && f.code !== "quorum-provider" && f.code !== "quorum-contradiction")
    .map((f) => f.text);
}

/** Whether only the host can know what it was refused for: its own name, a name's address, a file, a user. */
export function ofTheHost({ lines }: Said): boolean {
  const last = lines[lines.length - 1] ?? "";
  const address = /^failed to parse (?:node|bindnet|mcast) address '(.*)'$/.exec(last)?.[1];
  if (address !== undefined) return isHostName(address);
  const account = /: The '(.*)' (?:user|group) is not found in /.exec(last)?.[1];
  if (account !== undefined) return /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/.test(account);
  return last.includes("No valid name found for local host") || last.startsWith("Could not open ");
}
