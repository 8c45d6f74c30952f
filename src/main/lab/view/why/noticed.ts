/** What corosync noticed of causes: lines of journals, each of a node that runs, from the cause on and in order. */
import type { Component, WhyClause } from "../../api.ts";
import type { Notice, NoticeKind } from "./notices.ts";
import { listed, nodeName, noticeRef, statusOf, type Scene } from "./scene.ts";

interface Heard {
  readonly node: string;
  readonly notice: Notice;
  readonly text: string;
}

const tokenText = (node: string, { number }: Notice): string =>
  number > 0 ? `${node} got no token for ${number} ms and began to gather.` : `${node} lost the token and began to gather.`;

/** The first line of a kind that `fits`, of this node. */
function first(notices: readonly Notice[], kind: NoticeKind, fits: (notice: Notice) => boolean = () => true): Notice | undefined {
  return notices.find((notice) => notice.what === kind && fits(notice));
}

function heardOn(scene: Scene, node: string, lost: readonly string[], since: number): Heard[] {
  const ids = lost.flatMap((name) => scene.idOf.get(name) ?? []);
  const notices = scene.record.notices(scene.world, node, since);
  const about = ({ hosts }: Notice): boolean => hosts.some((id) => ids.includes(id));
  const names = ({ hosts }: Notice): string => listed(hosts.map((id) => nodeName(scene, id)));
  const out: Heard[] = [];
  const add = (notice: Notice | undefined, text: (notice: Notice) => string): void => {
    if (notice !== undefined) out.push({ node, notice, text: text(notice) });
  };
  add(first(notices, "unreachable", about), (n) => `${node} lost its last link to ${names(n)}.`);
  add(first(notices, "token-lost"), (n) => tokenText(node, n));
  add(first(notices, "members-left", about), (n) => `${node} formed a ring without ${names(n)}.`);
  add(
    notices.findLast(({ what }) => what === "slept"),
    (n) => `${node} noticed that it had not run for ${n.number} ms.`,
  );
  return out;
}

/** A node that stayed, from which the others are seen: of the largest side that has not lost them. */
function observerOf(scene: Scene, lost: readonly string[]): string | undefined {
  const able = (name: string): boolean => statusOf(scene, name)?.power === "on" && !lost.includes(name);
  return (
    scene.components.flatMap(({ nodes }) => nodes).find(able) ??
    scene.machines.find(({ name, corosync }) => corosync !== null && able(name))?.name
  );
}

/** Lines that tell of `lost`, since their cause: as the others saw it, then as the side that lost quorum did. */
export function noticedOf(scene: Scene, lost: readonly string[], since: number, inquorate: readonly Component[]): WhyClause[] {
  const observer = observerOf(scene, lost);
  const heard = observer === undefined ? [] : heardOn(scene, observer, lost, since);
  const away = inquorate[0]?.nodes.find((node) => statusOf(scene, node)?.power === "on");
  if (away !== undefined) {
    const last = scene.record.notices(scene.world, away, since).findLast(({ what }) => what === "lost-quorum" || what === "got-quorum");
    if (last?.what === "lost-quorum") heard.push({ node: away, notice: last, text: `${away} lost quorum.` });
  }
  return heard
    .sort((a, b) => a.notice.at - b.notice.at)
    .map(({ node, notice, text }) => ({ role: "noticed", text, refs: [noticeRef(node, notice)] }));
}
