/** getent: what the name services of the node know of users, groups and hosts. */
import { HOSTS_PATH, addressesOf, canonicalName, entriesNamed, entryOf, hostsEntries, parseIp } from "../../../engine/config/index.ts";
import type { HostsEntry } from "../../../engine/config/index.ts";
import { decode } from "../bytes.ts";
import { FileError } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { accountsNamed } from "./users.ts";

const DATABASES =
  "ahosts ahostsv4 ahostsv6 aliases ethers group gshadow hosts initgroups netgroup networks passwd protocols rpc services shadow".split(
    " ",
  );

/** /etc/hosts; "" where it is not there. */
export async function hostsText(run: Run): Promise<string> {
  try {
    return decode(await run.files.read(HOSTS_PATH));
  } catch (error) {
    if (error instanceof FileError) return "";
    throw error;
  }
}

const row = (address: string, names: readonly string[]): string => `${address.padEnd(15)} ${names.join(" ")}\n`;

/** gethostbyname2 for IPv6, then for IPv4; gethostbyaddr for what is an address. */
function found(text: string, key: string): HostsEntry | undefined {
  if (parseIp(key) !== undefined) return entryOf(text, key);
  const entries = entriesNamed(text, key);
  return entries.find((e) => e.family === 6) ?? entries[0];
}

async function hosts(run: Run, keys: readonly string[]): Promise<number> {
  const text = await hostsText(run);
  if (keys.length === 0) {
    // The enumeration is one of IPv4: the loopback address of IPv6 is shown as that of IPv4, others are left out.
    for (const { address, family, names } of hostsEntries(text))
      if (family === 4 || address === "::1") await run.out(row(family === 4 ? address : "127.0.0.1", names));
    return 0;
  }
  let status = 0;
  for (const key of keys) {
    const entry = found(text, key);
    if (entry) await run.out(row(entry.address, entry.names));
    else status = 2;
  }
  return status;
}

/** getaddrinfo with the canonical name, IPv6 first. */
async function addresses(run: Run, families: readonly (4 | 6)[], keys: readonly string[]): Promise<number> {
  const text = await hostsText(run);
  if (keys.length === 0) return hosts(run, keys);
  let status = 0;
  for (const key of keys) {
    const all = addressesOf(text, key);
    const sorted = families.flatMap((family) => all.filter((a) => a.includes(":") === (family === 6)));
    const first = sorted[0];
    if (first === undefined) status = 2;
    const name = first === undefined || parseIp(key) !== undefined ? key : (canonicalName(text, first) ?? key);
    for (const [i, address] of sorted.entries()) {
      await run.out(`${address.padEnd(15)} STREAM ${i === 0 ? name : ""}\n${address.padEnd(15)} DGRAM  \n${address.padEnd(15)} RAW    \n`);
    }
  }
  return status;
}

const TRY = "Try `getent --help' or `getent --usage' for more information.\n";

async function getent(run: Run): Promise<number> {
  const [database, ...keys] = run.args;
  switch (database) {
    case "passwd":
    case "group":
      return accountsNamed(run, `/etc/${database}`, keys);
    case "hosts":
      return hosts(run, keys);
    case "ahosts":
      return addresses(run, [6, 4], keys);
    case "ahostsv4":
      return addresses(run, [4], keys);
    case "ahostsv6":
      return addresses(run, [6], keys);
    case undefined:
      await run.err(`getent: wrong number of arguments\n${TRY}`);
      return 1;
    default:
      if (DATABASES.includes(database)) return run.fail("only the databases passwd, group and hosts are modelled in this lab", 1);
      await run.err(`Unknown database: ${database}\n${TRY}`);
      return 1;
  }
}

export const nameServices: [string, Program][] = [["getent", getent]];
