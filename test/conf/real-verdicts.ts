/** What the real `corosync -t` says of many files, one after the other on one host, and what the lab says of them there. */
import { readFileSync } from "node:fs";
import { accountsOf, checkConf, isHostName, parseConf, verifyConf, type Accounts, type HostFacts } from "../../src/engine/config/index.ts";
import type { RealHosts } from "./real-hosts.ts";

/** Files a call: a host's shell may take a minute for them on a busy machine. */
const BATCH = 50;
const FILES = "/run/files";

/** Behind what was said of each file: a line with the status. */
const MARK = "status of corosync -t:";
/** For each line of the list a file. Nothing but the daemon is started for one: there are hundreds. */
const SCRIPT = `while IFS= read -r file; do
  printf '%b' "$file" > /etc/corosync/corosync.conf
  corosync -t 2>&1; printf '\\n%s %d\\n' "${MARK}" "$?"
done < ${FILES} 2> /dev/null`;

/** A text as one line that printf makes it of again, byte by byte. */
function escaped(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => (/[A-Za-z0-9 ]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, "0")}`))
    .join("");
}

export interface Said {
  /** As a shell has it. */
  readonly status: number;
  /** Without times, levels and the line about the exit; debug lines left out. */
  readonly lines: readonly string[];
}

/** Last lines of a start, and what a shell says of a signal: of no interest. */
const ending = (line: string): boolean => /^(Corosync Cluster Engine exiting.*|Aborted|Segmentation fault|)( \(core dumped\))?$/.test(line);

export function realVerdicts(hosts: RealHosts, name: string, files: readonly string[]): Said[] {
  const out: Said[] = [];
  for (let at = 0; at < files.length; at += BATCH) {
    const batch = files.slice(at, at + BATCH);
    hosts.write(name, FILES, batch.map((text) => `${escaped(text)}\n`).join(""), "0600");
    const ran = hosts.run(name, "sh", "-c", SCRIPT);
    const answers = ran.stdout.split(new RegExp(`\n${MARK} ([0-9]+)\n`));
    if (answers.length !== 2 * batch.length + 1) throw new Error(`${answers.length} answers to ${batch.length} files\n${ran.stderr}`);
    for (let i = 0; i < batch.length; i++) {
      const plain = (answers[2 * i] ?? "")
        .split("\n")
        .map((l) => l.replace(/^[A-Z][a-z]{2} +\d+ [\d:.]+ /, ""))
        .filter((l) => !/^debug +\[/.test(l))
        .map((l) => l.replace(/^[a-z]+ +\[MAIN *\] /, ""));
      out.push({ status: Number(answers[2 * i + 1]), lines: plain.filter((l) => !ending(l)) });
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
