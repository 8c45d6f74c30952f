/** What a lab file can say that no lab can be: addresses that are none, stand elsewhere or twice. */
import { formatIp, networkOf, parseIp } from "../../../engine/config/index.ts";

interface Addressed {
  /** Network name → address of the machine in it. */
  readonly nets: Readonly<Record<string, string>>;
}

/** The part of a lab file that has addresses. */
interface AddressPlan {
  readonly networks: Readonly<Record<string, string>>;
  readonly nodes: Readonly<Record<string, Addressed>>;
  readonly qnetd?: Readonly<Record<string, Addressed>> | undefined;
}

export interface AddressIssue {
  path: readonly PropertyKey[];
  message: string;
  /** The key is at fault, not its value. */
  ofKey: boolean;
}

const value = (path: readonly PropertyKey[], message: string): AddressIssue => ({ path, message, ofKey: false });

/** The network of `address` with the prefix length of `cidr`; undefined for what is no address or no prefix length. */
function networkWith(address: string, cidr: string): string | undefined {
  const ip = parseIp(address);
  const bits = Number(cidr.split("/")[1]);
  return ip === undefined || !(bits >= 1 && bits <= (ip.family === 4 ? 32 : 128)) ? undefined : networkOf(ip, bits);
}

/** Networks and addresses. */
export function addressIssue(lab: AddressPlan): AddressIssue | undefined {
  for (const [net, cidr] of Object.entries(lab.networks))
    if (networkWith(cidr.split("/")[0] ?? "", cidr) === undefined)
      return value(["networks", net], `${cidr} is no network; an address with prefix length is, e.g. 10.0.0.0/24`);
  const owner = new Map<string, string>();
  const machines = (["nodes", "qnetd"] as const).flatMap((key) =>
    Object.entries(lab[key] ?? {}).map(([name, own]) => ({ key, name, own })),
  );
  for (const { key, name, own } of machines)
    for (const [net, address] of Object.entries(own.nets)) {
      const path = [key, name, net];
      const ip = parseIp(address);
      if (ip === undefined) return value(path, `${address} is no IPv4 or IPv6 address`);
      const cidr = lab.networks[net] ?? "";
      if (networkWith(address, cidr) !== networkWith(cidr.split("/")[0] ?? "", cidr))
        return value(path, `${address} is not in ${net}, ${cidr}`);
      const other = owner.get(formatIp(ip));
      if (other !== undefined) return value(path, `${address} is ${other}'s already`);
      owner.set(formatIp(ip), name);
    }
  return undefined;
}
