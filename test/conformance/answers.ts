/** What a tool printed, with what differs between two runs of the real tools blanked. */
import type { ExclusionName } from "./exclusions.ts";
import type { Ledger, Side } from "./ledger.ts";

interface Blank {
  readonly name: ExclusionName;
  /** Commands whose output has such values. */
  readonly of: RegExp;
  readonly find: RegExp;
  readonly put: (...groups: string[]) => string;
}

const BLANKS: readonly Blank[] = [
  { name: "date", of: /^corosync-quorumtool|^cat /, find: /^(Date:\s+).*$/gm, put: (label) => `${label}DATE` },
  { name: "connection", of: /-m stats/, find: /^(stats\.ipcs\.[a-z0-9]+)\.\d+\.0x[0-9a-f]+\./gm, put: (key) => `${key}.PID.POINTER.` },
  {
    name: "statistics",
    of: /-m stats/,
    find: /^(stats\.\S+(?<!\.connected|\.enabled|\.mtu) \(\w+\) = ).*$/gm,
    put: (key) => `${key}VALUE`,
  },
  {
    name: "last-answer",
    of: /^corosync-q(device|netd)-tool/,
    find: /^(\s+Vote:\s+)(?:ACK|NACK|No change) (\((?:ACK|NACK)\))$/gm,
    put: (label, vote) => `${label}LAST ${vote}`,
  },
  {
    name: "client-port",
    of: /^corosync-q(device|netd)-tool/,
    find: /^(\s+Client address:\s+\S+):\d+$/gm,
    put: (address) => `${address}:PORT`,
  },
  {
    name: "device-times",
    of: /^corosync-q(device|netd)-tool/,
    find: /^((?:Connected since|Echo reply received|Last poll call):\s+)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/gm,
    put: (label) => `${label}TIME`,
  },
  { name: "file-sizes", of: /^ls /, find: /^total \d+$/gm, put: () => "total N" },
  {
    name: "file-sizes",
    of: /^ls /,
    find: /^([-dl][rwxst-]{9})\s+\d+ (\S+) (\S+)\s+\d+ \w{3} [ \d]\d [ \d:]{5} /gm,
    put: (mode, user, group) => `${mode} N ${user} ${group} SIZE TIME `,
  },
];

export function blankAnswer(ledger: Ledger, side: Side, command: string, text: string): string {
  return BLANKS.filter((b) => b.of.test(command)).reduce((t, b) => ledger.blank(b.name, side, t, b.find, b.put), text);
}
