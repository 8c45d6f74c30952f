/** What a lab waits for, read from the nodes' own timers and counters: pongs of a link, the token, consensus. Computes no rule: only what is left of what a node says. */
import type { LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import * as motionText from "../words/motion.ts";

export interface Awaited {
  readonly node: string;
  /** The whole sentence, and what stands at the node itself. */
  readonly text: string;
  readonly short: string;
}

/** A token that is under way as it should is not awaited: less than this share of the timeout has passed then. */
const overdueFrom = 0.3;

function ofTimers({ name, corosync }: MachineView, instant: number): Awaited[] {
  if (corosync === null) return [];
  const { timers, token, state } = corosync;
  const counted = (what: "token" | "consensus", until: number, wholeMs: number): Awaited => {
    const passed = Math.max(0, Math.min(wholeMs, wholeMs - (until - instant) / 1000));
    const text = motionText.passed(what, passed / 1000, wholeMs / 1000);
    return { node: name, text: `${name}: ${text}`, short: text };
  };
  if (timers.consensus !== null) return [counted("consensus", timers.consensus, token.consensusMs)];
  if (timers.token === null || state === "gather") return [];
  const passed = token.tokenTimeoutMs - (timers.token - instant) / 1000;
  return passed >= token.tokenTimeoutMs * overdueFrom ? [counted("token", timers.token, token.tokenTimeoutMs)] : [];
}

function ofLinks({ name, corosync }: MachineView, nameOf: (id: number) => string): Awaited[] {
  return (corosync?.links ?? [])
    .filter(({ connected, pongs }) => !connected && pongs > 0)
    .map(({ link, to, pongs, pongsNeeded }) => ({
      node: name,
      text: `${name}: ${motionText.pongs(link, nameOf(to), pongs, pongsNeeded)}`,
      short: motionText.pongsShort(pongs, pongsNeeded),
    }));
}

/** In the order of the nodes; a node that stands still waits for nothing. */
export function awaitedOf(snapshot: LabSnapshot): Awaited[] {
  const running = snapshot.nodes.filter(({ power }) => power === "on");
  const nameOf = (id: number): string => snapshot.nodes.find(({ corosync }) => corosync?.nodeId === id)?.name ?? `node ${id}`;
  return running.flatMap((machine) => [...ofLinks(machine, nameOf), ...ofTimers(machine, snapshot.time.instant)]);
}

/** What the line says: what many wait for alike stands once. */
export function awaitedSaid(awaited: readonly Awaited[], most = 3): string {
  const texts = [...new Set(awaited.map(({ text }) => text))];
  const shown = texts.slice(0, most);
  return texts.length > most ? `${shown.join(" · ")} · ${motionText.more(texts.length - most)}` : shown.join(" · ");
}
