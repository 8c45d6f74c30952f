/** Nodes that do not fit together: key, encryption, cluster name, token, who lists whom, who claims which id. Told from what each holds on its disk and runs with. */
import {
  KEYFILE_DEFAULT,
  numberOf,
  parseConf,
  stringOf,
  verifyConf,
  type ConfValues,
  type ParseOutcome,
} from "../../../engine/config/index.ts";
import { fromUtf8 } from "../../../engine/kernel/bytes.ts";
import { hashBytes } from "../../../engine/kernel/hash.ts";
import type { MachineStatus } from "../../../engine/kernel/status.ts";
import type { World } from "../../../engine/world/world.ts";
import type { Mismatch, Problem } from "../api.ts";

const CONF = "/etc/corosync/corosync.conf";
/** corosync's default. */
const TOKEN_MS = 3000;
const PARSED_KEPT = 64;

/** Files by text: the same one lies on every node and is looked at many times a second. */
export class ParsedConfs {
  private known = new Map<string, ParseOutcome>();

  of(text: string): ParseOutcome {
    let parsed = this.known.get(text);
    if (parsed === undefined) {
      parsed = parseConf(text);
      this.known.set(text, parsed);
      if (this.known.size > PARSED_KEPT) this.known.delete([...this.known.keys()][0] ?? "");
    }
    return parsed;
  }
}

/** What one machine brings to a cluster. */
interface Held {
  name: string;
  addresses: string[];
  /** Addresses its file lists, its own included. */
  listed: Set<string>;
  nodeId: number | undefined;
  clusterName: string;
  tokenMs: number;
  encrypts: boolean;
  key: string | undefined;
  /** Where its key lies. */
  keyfile: string;
}

function bytesOf(world: World, node: string, path: string): Uint8Array | undefined {
  const reply = world.query(node, { kind: "file-read", path });
  return reply.kind === "file" ? reply.data : undefined;
}

function listedAddresses(values: ConfValues): Set<string> {
  const out = new Set<string>();
  for (const [key, value] of values) if (/^nodelist\.node\.\d+\.ring\d_addr$/.test(key) && value.text !== "") out.add(value.text);
  return out;
}

function encrypts(values: ConfValues): boolean {
  const secauth = ["on", "yes"].includes(stringOf(values, "totem.secauth") ?? "");
  return (stringOf(values, "totem.crypto_hash") ?? (secauth ? "sha256" : "none")) !== "none";
}

/** undefined: the machine is off, has no file, or none that corosync could read. */
function heldBy(world: World, machine: MachineStatus, confs: ParsedConfs): Held | undefined {
  const file = bytesOf(world, machine.name, CONF);
  if (machine.kind !== "node" || file === undefined) return undefined;
  const parsed = confs.of(fromUtf8(file));
  if (parsed.errors.length > 0) return undefined;
  const addresses = machine.nics.map((nic) => nic.address);
  const { values } = parsed;
  let nodeId = machine.corosync?.nodeId;
  if (nodeId === undefined) {
    const verdict = verifyConf(parsed, { hostname: machine.name, addresses, resolve: () => [] });
    nodeId = verdict.ok ? verdict.config.nodeId : undefined;
  }
  const keyfile = stringOf(values, "totem.keyfile") ?? KEYFILE_DEFAULT;
  const bytes = bytesOf(world, machine.name, keyfile);
  const inline = stringOf(values, "totem.key");
  return {
    name: machine.name,
    addresses,
    listed: listedAddresses(values),
    nodeId,
    clusterName: stringOf(values, "totem.cluster_name") ?? "",
    tokenMs: numberOf(values, "totem.token", "u32") ?? TOKEN_MS,
    encrypts: encrypts(values),
    key: stringOf(values, "totem.keyfile") === undefined && inline !== undefined ? inline : bytes && hashBytes(bytes),
    keyfile,
  };
}

const lists = (a: Held, b: Held): boolean => b.addresses.some((address) => a.listed.has(address));

/** Machines that mean to be one cluster: whoever lists another is with it. In the lab's order. */
function together(held: readonly Held[]): Held[][] {
  const groups: Held[][] = [];
  for (const one of held) {
    const near = groups.filter((group) => group.some((other) => lists(one, other) || lists(other, one)));
    for (const group of near) groups.splice(groups.indexOf(group), 1);
    groups.push([...near.flat(), one]);
  }
  return groups.map((group) => held.filter((h) => group.includes(h)));
}

type Found = Mismatch & { severity: Problem["severity"]; mend: string };

/** Where a group does not agree on `of`: each that differs from what most have, beside the first that has it. */
function odd<T>(group: readonly Held[], of: (held: Held) => T): [odd: Held, reference: Held][] {
  const byValue = new Map<T, Held[]>();
  for (const one of group) byValue.set(of(one), [...(byValue.get(of(one)) ?? []), one]);
  const most = [...byValue.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
  const [reference] = most;
  return reference === undefined ? [] : group.filter((one) => !most.includes(one)).map((one) => [one, reference]);
}

function disagreements(group: readonly Held[]): Found[] {
  const out: Found[] = [];
  const add = (kind: Mismatch["kind"], severity: Found["severity"], nodes: Held[], text: string, mend: string): void =>
    void out.push({ kind, severity, nodes: nodes.map((n) => n.name), text, mend });
  for (const [one, ref] of odd(group, (h) => h.encrypts)) {
    const [plain, sealed] = one.encrypts ? [ref, one] : [one, ref];
    add(
      "encryption",
      "error",
      [one, ref],
      `${plain.name} does not encrypt, ${sealed.name} does: neither takes the other's packets`,
      `write secauth: on in ${plain.name}'s corosync.conf and give it ${sealed.name}'s authkey`,
    );
  }
  const keyed = group.filter((h) => h.encrypts && h.key !== undefined);
  for (const [one, ref] of odd(keyed, (h) => h.key))
    add(
      "authkey",
      "error",
      [one, ref],
      `${one.name}'s authkey differs from ${ref.name}'s: neither takes the other's packets`,
      `copy ${ref.keyfile} from ${ref.name} to ${one.name} and restart corosync on ${one.name}`,
    );
  for (const [one, ref] of odd(group, (h) => h.clusterName))
    add(
      "cluster-name",
      "warning",
      [one, ref],
      `${one.name}'s cluster is called '${one.clusterName}', ${ref.name}'s '${ref.clusterName}': corosync does not compare the names, a QDevice server does`,
      `give ${one.name} the file of ${ref.name}`,
    );
  for (const [one, ref] of odd(group, (h) => h.tokenMs))
    add(
      "token",
      "warning",
      [one, ref],
      `token differs: ${one.tokenMs} ms on ${one.name}, ${ref.tokenMs} ms on ${ref.name}; each goes by its own`,
      `give ${one.name} the file of ${ref.name} and reload`,
    );
  return out;
}

function unlisted(group: readonly Held[]): Found[] {
  return group.flatMap((one): Found[] => {
    const others = group.filter((o) => o !== one && lists(one, o));
    const deaf = others.filter((o) => !lists(o, one));
    if (deaf.length === 0) return [];
    const nobody = deaf.length === others.length;
    const names = deaf.map((d) => d.name).join(", ");
    return [
      {
        kind: "unlisted",
        severity: "error",
        nodes: [one.name, ...deaf.map((d) => d.name)],
        text: nobody
          ? `${one.name} is in nobody's nodelist: its packets are passed over without a word`
          : `${one.name} is not in the nodelist of ${names}`,
        mend: `add ${one.name} to the nodelist of ${names} and reload`,
      },
    ];
  });
}

function sameId(group: readonly Held[]): Found[] {
  const byId = new Map<number, Held[]>();
  for (const one of group) if (one.nodeId !== undefined) byId.set(one.nodeId, [...(byId.get(one.nodeId) ?? []), one]);
  return [...byId].flatMap(([id, claim]): Found[] => {
    if (claim.length < 2) return [];
    const names = claim.map((c) => c.name);
    return [
      {
        kind: "node-id",
        severity: "error",
        nodes: names,
        text: `${names.slice(0, -1).join(", ")} and ${names[names.length - 1] ?? ""} ${names.length === 2 ? "both" : "all"} claim node ID ${id}: the others reject whose address they do not list under it`,
        mend: "give every node an id of its own, in the same file everywhere",
      },
    ];
  });
}

export interface MismatchesFound {
  mismatches: Mismatch[];
  problems: Problem[];
}

/** What does not fit, for the canvas and for the list of problems. */
export function mismatchesOf(world: World, machines: readonly MachineStatus[], confs: ParsedConfs): MismatchesFound {
  const held = machines.flatMap((machine) => heldBy(world, machine, confs) ?? []);
  const found = together(held).flatMap((group) => [...disagreements(group), ...sameId(group), ...unlisted(group)]);
  return {
    mismatches: found.map(({ kind, nodes, text }) => ({ kind, nodes, text })),
    problems: found.map(({ kind, nodes, text, severity, mend }) => ({
      severity,
      code: `mismatch-${kind}`,
      text,
      mend,
      nodes,
      ...(nodes[0] === undefined ? {} : { node: nodes[0] }),
    })),
  };
}
