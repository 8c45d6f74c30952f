/**
 * pvecm, the cluster manager's own tool: status, nodes and expected, which format what corosync-quorumtool says. The configuration is read from the local
 * /etc/corosync/corosync.conf, as there is no /etc/pve in this version of the lab. Left out, and said so: every other subcommand.
 */
import { parseConf } from "../config/parse.ts";
import type { Conf, ConfEntry } from "../config/ast.ts";
import { fromUtf8 } from "../kernel/index.ts";
import type { ToolHost } from "./host.ts";
import { quorumtool } from "./quorumtool.ts";
import { fail, notModelled, printResult, type CommandSpec, type Io, type Result, type Run } from "./spec.ts";

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

function readConf(host: ToolHost): Conf | Result {
  const data = host.file(CONF);
  if (data === undefined)
    return fail(`Error: Corosync config '/etc/pve/corosync.conf' does not exist - is this node part of a cluster?\n`, 2);
  return parseConf(fromUtf8(data)).conf;
}

/** The cluster block, then `corosync-quorumtool -siH`, whose exit status is pvecm's. */
function status(host: ToolHost, io: Io): Result {
  const conf = readConf(host);
  if ("stdout" in conf) return conf;
  const totem = section(conf.entries, "totem");
  const row = (label: string, text: string): string => `${label.padEnd(17)} ${text}\n`;
  const block =
    "Cluster information\n-------------------\n" +
    row("Name:", value(totem, "cluster_name") ?? "") +
    row("Config Version:", value(totem, "config_version") ?? "") +
    row("Transport:", value(totem, "transport") ?? "knet") +
    row("Secure auth:", value(totem, "secauth") ?? "off") +
    "\n";
  const below = quorumtool.query(host, ["corosync-quorumtool", "-siH"], io);
  return { stdout: block + below.stdout, stderr: below.stderr, status: below.status };
}

function nodes(host: ToolHost, io: Io): Result {
  const conf = readConf(host);
  return "stdout" in conf ? conf : quorumtool.query(host, ["corosync-quorumtool", "-l"], io);
}

function badParameter(text: string, command: string): Result {
  return fail(`400 ${text}\n${usageLines(command).join("\n")}\n`, 255);
}

/** What is wrong with the call, before anything is asked; undefined where nothing is. */
function checkCall(argv: readonly string[]): Result | undefined {
  const [, command, ...rest] = argv;
  if (command === undefined) return fail(`ERROR: no command specified\n${usage()}`, 255);
  if (command === "help") return { stdout: usage(), stderr: "", status: 0 };
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

function query(host: ToolHost, argv: readonly string[], io: Io): Result {
  const wrong = checkCall(argv);
  if (wrong) return wrong;
  if (argv[1] === "status") return status(host, io);
  if (argv[1] === "nodes") return nodes(host, io);
  const conf = readConf(host);
  return "stdout" in conf ? conf : quorumtool.query(host, ["corosync-quorumtool", "-e", argv[2] ?? ""], io);
}

function isQuery(argv: readonly string[], host: ToolHost): boolean {
  if (checkCall(argv) !== undefined || "stdout" in readConf(host) || host.corosync() === "down") return true;
  return argv[1] !== "expected" && host.corosync() !== "stalled";
}

function* run(argv: readonly string[], io: Io): Run {
  const wrong = checkCall(argv);
  if (wrong) return yield* printResult(wrong);
  if (argv[1] === "expected") return quorumtool.run ? yield* quorumtool.run(["corosync-quorumtool", "-e", argv[2] ?? ""], io) : 1;
  yield { ask: "daemon" };
  const shown = yield { ask: "run", argv };
  return yield* printResult(shown.kind === "result" ? shown.result : fail("Cannot initialize CMAP service\n"));
}

export const pvecm: CommandSpec = {
  name: "pvecm",
  summary: "Proxmox VE cluster manager",
  options: [],
  words: [...Object.keys(SYNTAX), "help"],
  isQuery,
  query,
  run,
};
