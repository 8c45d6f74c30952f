/** Which commands typed at a node's prompt act on the node: on units, power, the cluster, the network. A timeline shows those; what only asks or works on files leaves no flag. */

/** Characters of a line that are looked at. */
const LOOKED_AT_MAX = 2_000;
/** What may stand before a command. */
const PREFIXES: ReadonlySet<string> = new Set(["sudo", "exec", "nohup", "time", "env", "command", "then", "do", "else", "!"]);
const ASSIGNMENT = /^[A-Za-z_]\w*=/;

const verbs =
  (...allowed: readonly string[]) =>
  (args: readonly string[]): boolean =>
    allowed.includes(args.find((arg) => !arg.startsWith("-")) ?? "");
/** One of these flags among the options. */
const options =
  (flags: string) =>
  (args: readonly string[]): boolean =>
    args.some((arg) => /^-[A-Za-z]+$/.test(arg) && [...arg.slice(1)].some((flag) => flags.includes(flag)));
const always = (): boolean => true;
const withArguments = (args: readonly string[]): boolean => args.length > 0 && !args.includes("-l");

const changesUnits = verbs(
  ..."start stop restart reload try-restart reload-or-restart kill reset-failed enable disable mask unmask isolate reboot poweroff halt".split(
    " ",
  ),
);
const ipChanges = (args: readonly string[]): boolean => {
  const [object = "", verb = ""] = args.filter((arg) => !arg.startsWith("-"));
  return (
    ["link", "l", "addr", "address", "a", "route", "r", "neigh"].includes(object) &&
    "set add del delete flush replace change".split(" ").includes(verb)
  );
};

/** By a command's name: whether it acts, given its arguments. */
const ACTING: Readonly<Record<string, (args: readonly string[]) => boolean>> = {
  systemctl: changesUnits,
  kill: withArguments,
  pkill: withArguments,
  killall: withArguments,
  reboot: always,
  poweroff: always,
  halt: always,
  shutdown: always,
  corosync: (args) => !args.includes("-v") && !args.includes("-t"),
  pvecm: verbs("add", "create", "delnode", "expected", "qdevice", "updatecerts"),
  "corosync-cfgtool": options("RkrH"),
  "corosync-quorumtool": options("ev"),
  "corosync-cmapctl": options("sdp"),
  ip: ipChanges,
  ifup: always,
  ifdown: always,
  ifreload: always,
  iptables: options("AIDFP"),
  nft: verbs("add", "delete", "flush", "insert"),
};

/** Whether a line that somebody typed acts on the node. */
export function actsOnNode(line: string): boolean {
  return line
    .slice(0, LOOKED_AT_MAX)
    .split(/[;&|(){}\n]/)
    .some((piece) => {
      const args = piece.trim().split(/\s+/);
      const first = args.findIndex((word) => !PREFIXES.has(word) && !ASSIGNMENT.test(word));
      const name = (args[first] ?? "").replace(/^\/(?:usr\/)?s?bin\//, "");
      return Object.hasOwn(ACTING, name) && ACTING[name]?.(args.slice(first + 1)) === true;
    });
}
