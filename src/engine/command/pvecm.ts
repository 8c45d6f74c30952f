/**
 * pvecm, the cluster manager's own tool: status, nodes and expected, which print what corosync-quorumtool says; here that one's body is part of this one's. The configuration is read from the local
 * /etc/corosync/corosync.conf, as there is no /etc/pve in this version of the lab. Left out, and said so: every other subcommand.
 */
import { parseConf } from "../config/parse.ts";
import type { Conf, ConfEntry } from "../config/ast.ts";
import { fromUtf8 } from "../kernel/index.ts";
import { quorumtool } from "./quorumtool.ts";
import { fail, notModelled, ok, printResult, type Result } from "./result.ts";
import { contents, print, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

const CONF = "/etc/corosync/corosync.conf";

const SYNTAX: Readonly<Record<string, string>> = {
  add: "<hostname> [OPTIONS]",
  addnode: "<node> [OPTIONS]",
  apiver: "",
  create: "<clustername> [OPTIONS]",
  delnode: "<node>",
  expected: "<expected>",
  keygen: "<filename>",
  mtunnel: "[<extra-args>] [OPTIONS]",
  nodes: "",
  qdevice: "",
  status: "",
  updatecerts: "[OPTIONS]",
};

function usageLines(command: string): string[] {
  if (command === "qdevice") return ["pvecm qdevice remove", "pvecm qdevice setup <address> [OPTIONS]"];
  return [`pvecm ${command} ${SYNTAX[command] ?? ""}`.trimEnd()];
}

function usage(): string {
  const lines = Object.keys(SYNTAX).flatMap(usageLines);
  return `USAGE: pvecm <COMMAND> [ARGS] [OPTIONS]\n${lines.map((l) => `       ${l}\n`).join("")}\n       pvecm help [<extra-args>] [OPTIONS]\n`;
}

function section(entries: readonly ConfEntry[], name: string): ConfEntry[] {
  return entries.flatMap((e) => (e.kind === "section" && e.name === name ? e.entries : []));
}

function value(entries: readonly ConfEntry[], key: string): string | undefined {
  let found: string | undefined;
  for (const e of entries) if (e.kind === "key" && e.name === key) found = e.value;
  return found;
}

const NO_CONF = fail("Error: Corosync config '/etc/pve/corosync.conf' does not exist - is this node part of a cluster?\n", 2);

function* readConf(): ToolPart<Conf | undefined> {
  const read = yield* contents(CONF);
  return read.ok && read.value === "data" ? parseConf(fromUtf8(read.data)).conf : undefined;
}

function clusterBlock(conf: Conf): string {
  const totem = section(conf.entries, "totem");
  const row = (label: string, text: string): string => `${label.padEnd(17)} ${text}\n`;
  return (
    "Cluster information\n-------------------\n" +
    row("Name:", value(totem, "cluster_name") ?? "") +
    row("Config Version:", value(totem, "config_version") ?? "") +
    row("Transport:", value(totem, "transport") ?? "knet") +
    row("Secure auth:", value(totem, "secauth") ?? "off") +
    "\n"
  );
}

function badParameter(text: string, command: string): Result {
  return fail(`400 ${text}\n${usageLines(command).join("\n")}\n`, 255);
}

/** What is wrong with the call, before anything is asked; undefined where nothing is. */
function checkCall(argv: readonly string[]): Result | undefined {
  const [, command, ...rest] = argv;
  if (command === undefined) return fail(`ERROR: no command specified\n${usage()}`, 255);
  if (command === "help") return ok(usage());
  if (!(command in SYNTAX)) return fail(`ERROR: unknown command 'pvecm ${command}'\n${usage()}`, 255);
  if (command !== "status" && command !== "nodes" && command !== "expected") return notModelled(`pvecm ${command}`);
  const option = rest.find((a) => a.startsWith("-"));
  if (option !== undefined) return badParameter(`unable to parse option\nUnknown option: ${option.replace(/^-+/, "")}`, command);
  const wanted = command === "expected" ? 1 : 0;
  if (rest.length < wanted) return badParameter("not enough arguments", command);
  if (rest.length > wanted) return badParameter("too many arguments", command);
  const text = rest[0];
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text))
    return badParameter(`Parameter verification failed.\nexpected: type check ('integer') failed - got '${text}'`, command);
  return Number(text) < 1
    ? badParameter("Parameter verification failed.\nexpected: value must have a minimum value of 1", command)
    : undefined;
}

/** Its exit status is that of corosync-quorumtool. */
function* body(argv: readonly string[]): ToolBody {
  const wrong = checkCall(argv);
  if (wrong) return yield* printResult(wrong);
  const conf = yield* readConf();
  if (conf === undefined) return yield* printResult(NO_CONF);
  if (argv[1] === "expected") return yield* quorumtool.body(["corosync-quorumtool", "-e", argv[2] ?? ""]);
  if (argv[1] === "nodes") return yield* quorumtool.body(["corosync-quorumtool", "-l"]);
  yield* print(clusterBlock(conf));
  return yield* quorumtool.body(["corosync-quorumtool", "-siH"]);
}

export const pvecm: Tool = {
  name: "pvecm",
  summary: "Proxmox VE cluster manager",
  options: [],
  subcommands: [...Object.keys(SYNTAX), "help"],
  body,
};
