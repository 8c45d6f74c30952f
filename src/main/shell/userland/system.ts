/** Programs about the machine and its clock, as the shell knows them: date, hostname, uname, uptime, sleep, clear and their kin. */
import { HOSTS_PATH, addressesOf, canonicalName } from "../../../engine/config/index.ts";
import { decode } from "../bytes.ts";
import { FileError } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { parseDate, strftime } from "./clock.ts";
import { runModelled } from "./modelled.ts";
import { whichPaths } from "./which.ts";

async function date(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "uR",
    values: "dsIr",
    long: { utc: "u", universal: "u", date: "d", set: "s", "rfc-email": "R", "iso-8601": "I", reference: "r" },
  });
  if (options.value("s") !== undefined) throw new UsageError("setting the clock is not modelled in this lab");
  const now = await run.system.now();
  let micros = now.epoch + now.instant;
  const reference = options.value("r");
  if (reference !== undefined) micros = now.epoch + (await run.files.stat(run.path(reference))).mtime;
  const wanted = options.value("d");
  if (wanted !== undefined) {
    const parsed = parseDate(wanted, micros);
    if (parsed === undefined) throw new UsageError(`invalid date '${wanted}'`);
    micros = parsed;
  }
  const format = options.operands[0];
  if (format !== undefined && !format.startsWith("+")) throw new UsageError(`invalid date '${format}'`);
  const iso: Readonly<Record<string, string>> = {
    seconds: "%Y-%m-%dT%H:%M:%S+00:00",
    s: "%Y-%m-%dT%H:%M:%S+00:00",
    minutes: "%Y-%m-%dT%H:%M+00:00",
    date: "%Y-%m-%d",
  };
  const isoKind = options.value("I");
  const chosen =
    format?.slice(1) ??
    (options.has("R") ? "%a, %d %b %Y %H:%M:%S +0000" : isoKind === undefined ? "%a %b %e %H:%M:%S %Z %Y" : (iso[isoKind] ?? "%Y-%m-%d"));
  await run.out(`${strftime(chosen, micros)}\n`);
  return 0;
}

/** A file's text; "" where it is not there. */
async function textOf(run: Run, path: string): Promise<string> {
  try {
    return decode(await run.files.read(path));
  } catch (error) {
    if (error instanceof FileError) return "";
    throw error;
  }
}

/** The name the machine has by its own files. */
async function hostnameOf(run: Run): Promise<string> {
  const text = (await textOf(run, "/etc/hostname")).trim();
  return text === "" ? run.system.port.node : text;
}

async function hostname(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "fsdiIA",
    long: { fqdn: "f", long: "f", short: "s", domain: "d", "ip-address": "i", "all-ip-addresses": "I" },
  });
  if (options.operands.length > 0) throw new UsageError("setting the name is not modelled in this lab");
  const name = (await hostnameOf(run)).split(".")[0] ?? "";
  const hosts = await textOf(run, HOSTS_PATH);
  const addresses = addressesOf(hosts, name);
  const first = addresses[0];
  const long = (first === undefined ? undefined : canonicalName(hosts, first)) ?? name;
  if (options.has("i") || options.has("I")) await run.out(`${first ?? "127.0.1.1"}${options.has("I") ? " " : ""}\n`);
  else if (options.has("d")) await run.out(`${long.split(".").slice(1).join(".")}\n`);
  else await run.out(`${options.has("f") ? long : name}\n`);
  return 0;
}

/** The kernel of the modelled release. */
const KERNEL = "6.14.8-2-pve";
const KERNEL_VERSION = "#1 SMP PREEMPT_DYNAMIC PMX 6.14.8-2 (2025-07-22T10:04Z)";

async function uname(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "asnrvmpio",
    long: { all: "a", "kernel-name": "s", nodename: "n", "kernel-release": "r", machine: "m" },
  });
  const parts: [string, string][] = [
    ["s", "Linux"],
    ["n", await hostnameOf(run)],
    ["r", KERNEL],
    ["v", KERNEL_VERSION],
    ["m", "x86_64"],
    ["o", "GNU/Linux"],
  ];
  const chosen = parts.filter(([letter]) => options.has("a") || options.has(letter)).map(([, text]) => text);
  await run.out(`${chosen.length > 0 ? chosen.join(" ") : "Linux"}\n`);
  return 0;
}

async function sleep(run: Run): Promise<number> {
  if (run.args.length === 0) throw new UsageError("missing operand\nTry 'sleep --help' for more information.");
  const units: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };
  let micros = 0;
  for (const arg of run.args) {
    if (arg === "infinity") micros = Number.MAX_SAFE_INTEGER;
    else {
      const m = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(arg);
      if (!m) throw new UsageError(`invalid time interval '${arg}'\nTry 'sleep --help' for more information.`);
      micros += Math.round(Number(m[1]) * (units[m[2] ?? ""] ?? 1) * 1_000_000);
    }
  }
  if (micros > 0) await run.system.sleep(Math.min(micros, Number.MAX_SAFE_INTEGER / 2), run.interrupt);
  return 0;
}

async function which(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "as" });
  let status = 0;
  for (const name of options.operands) {
    const paths = await whichPaths(run, name);
    if (paths.length === 0) status = 1;
    if (!options.has("s")) for (const path of options.has("a") ? paths : paths.slice(0, 1)) await run.out(`${path}\n`);
  }
  return status;
}

/** How long the machine has been up is the machine's to say; a machine without the command says so. */
async function modelledOr(run: Run): Promise<number> {
  const status = await runModelled(run.ctx, [run.name, ...run.args]);
  if (status !== undefined) return status;
  await run.err(`${run.name}: not modelled in this lab\n`);
  return 1;
}

const constant =
  (text: string): Program =>
  async (run) => {
    await run.out(text);
    return 0;
  };

async function tty(run: Run): Promise<number> {
  if (run.stdin.tty) return constant(`/dev/${run.system.process?.tty ?? "pts/0"}\n`)(run);
  if (!run.args.includes("-s")) await run.out("not a tty\n");
  return 1;
}

export const system: [string, Program][] = [
  ["date", date],
  ["hostname", hostname],
  ["uname", uname],
  ["sleep", sleep],
  ["which", which],
  ["arch", constant("x86_64\n")],
  ["nproc", constant("2\n")],
  ["clear", constant("\u001b[H\u001b[2J\u001b[3J")],
  ["sync", () => Promise.resolve(0)],
  ["tty", tty],
  ["uptime", modelledOr],
  ["ping", modelledOr],
];
