/** What causes are called: sentences without their full stop. Every sentence of a Why stands here or in card-text.ts. */
import type { FaultView } from "../../../../engine/fabric/index.ts";
import { listed } from "./scene.ts";

type Direction = "in" | "out" | "both";

export const cableText = (node: string, net: string): string => `Cable ${node}:${net}`;

/** "in: cut, out: passes" */
const oneWay = (direction: Direction): string => (direction === "in" ? "in: cut, out: passes" : "out: cut, in: passes");

/** "Cable pve3:net0 is cut"; "The cables pve3:net0 and pve3:net1 are cut"; "Cable pve3:net0 is cut one way (in: cut, out: passes)" */
export function cutText(node: string, cuts: readonly { net: string; direction: Direction }[]): string {
  const [first] = cuts;
  if (cuts.length === 1 && first !== undefined)
    return first.direction === "both"
      ? `${cableText(node, first.net)} is cut`
      : `${cableText(node, first.net)} is cut one way (${oneWay(first.direction)})`;
  const each = cuts.map(({ net, direction }) => `${node}:${net}${direction === "both" ? "" : ` (${oneWay(direction)})`}`);
  return `The cables ${listed(each)} are cut`;
}

export function pairText(pairs: readonly { node: string; to: string; net: string; direction: Direction }[]): string {
  const [first] = pairs;
  if (first === undefined || pairs.length > 1) {
    const nets = [...new Set(pairs.map(({ net }) => net))];
    return `${pairs.length} pairs of machines are cut from each other on ${listed(nets)}`;
  }
  const { node, to, net, direction } = first;
  if (direction === "both") return `${node} and ${to} are cut from each other on ${net}`;
  return `Nothing gets from ${direction === "out" ? node : to} to ${direction === "out" ? to : node} on ${net}`;
}

/** "The network is partitioned: pve1 and pve2 | pve3" */
export const partitionText = (groups: readonly (readonly string[])[]): string =>
  `The network is partitioned: ${groups.map((group) => listed(group, 4)).join(" | ")}`;

/** Whose port it is. */
const USED_PORTS: Readonly<Record<string, string>> = {
  "5403/tcp": " (qdevice to qnetd)",
  "22/tcp": " (ssh)",
  "8006/tcp": " (the API)",
};

export function portText(node: string, port: number, proto: string): string {
  const link = proto === "udp" && port >= 5405 && port <= 5412 ? ` (corosync, link ${port - 5405})` : undefined;
  return `The packet filter of ${node} drops ${port}/${proto}${link ?? USED_PORTS[`${port}/${proto}`] ?? ""}`;
}

/** "Cable pve3:net0 loses 60 % of its packets and delays them by 50 ms" */
export function settingText(place: string, fault: FaultView): string {
  const { delayMs, jitterMs, lossPercent, dupPercent, reorderPercent, rateMbit, mtuBytes, direction = "both" } = fault;
  const parts = [
    lossPercent === undefined ? "" : `loses ${lossPercent} % of the packets`,
    delayMs === undefined ? "" : `delays packets by ${delayMs} ms`,
    jitterMs === undefined ? "" : `has a jitter of ${jitterMs} ms`,
    dupPercent === undefined ? "" : `duplicates ${dupPercent} %`,
    reorderPercent === undefined ? "" : `reorders ${reorderPercent} %`,
    rateMbit === undefined ? "" : `passes ${rateMbit} Mbit/s`,
    mtuBytes === undefined ? "" : `takes packets up to ${mtuBytes} bytes`,
  ].filter((part) => part !== "");
  return `${place} ${listed(parts, 8)}${direction === "both" ? "" : ` (${direction === "in" ? "inwards" : "outwards"} only)`}`;
}

const DISK: Readonly<Record<string, string>> = {
  full: "is full",
  "read-only": "is read-only",
  error: "fails with I/O errors",
};

export const diskText = (node: string, state: string, commitUs: number): string =>
  state === "slow" ? `The disk of ${node} takes ${commitUs / 1000} ms a write` : `The disk of ${node} ${DISK[state] ?? `is ${state}`}`;

export const powerText = (node: string, how: "cut" | "shutdown" | "never" | "lost"): string =>
  ({
    cut: `${node} lost its power`,
    shutdown: `${node} was shut down`,
    never: `${node} is powered off`,
    lost: `The lab itself failed: the process of ${node} is lost`,
  })[how];

/** What fails on such a disk. */
export function diskMeans(node: string, state: string): string {
  if (state === "slow") return `What is written on ${node} is on its disk later.`;
  if (state === "full") return `Writes on ${node} that need room fail (ENOSPC).`;
  return state === "read-only" ? `Writes on ${node} fail (EROFS).` : `Reads and writes of the disk of ${node} fail (EIO).`;
}
