/** What one event was, in a line: "pve1 → pve2: token seq 15, passed on to pve3". From the first of what was to come, and from what the machine did. */
import type { Effect, TraceEvent } from "../../../engine/kernel/machine.ts";
import type { Happened, Upcoming } from "../api.ts";

const REASON_LOST = 2;

/** What followed, as a phrase after the event; undefined for what is of no account. `nameOf`: of a node id. */
function outcome(event: TraceEvent, nameOf: (id: number) => string): string | undefined {
  switch (event.what) {
    case "token":
      return `token passed on to ${nameOf(event.to)}`;
    case "join":
      return "join sent";
    case "commit-token":
      return `commit token passed on to ${nameOf(event.to)}`;
    case "commit-token-lost":
      return `token lost in ${event.state}`;
    case "retransmit":
      return `message ${event.seq} sent again`;
    case "state":
      return event.state === "gather" && event.reason === REASON_LOST ? "token lost: gather" : event.state;
    case "membership":
      return event.transitional ? undefined : `ring ${event.ring} of ${event.members.map(nameOf).join(" ")}`;
    case "quorum":
      return event.quorate ? "quorate" : "not quorate";
    case "pong":
      return event.up ? `link ${event.link} to ${nameOf(event.from)} is up` : `pongs ${event.pongs} of ${event.needed}`;
    case "power":
      return event.state;
    case "unit":
      return `${event.unit} ${event.state}`;
    default:
      return undefined;
  }
}

/** Phrases that one event may have; more are counted. */
const OUTCOMES_MAX = 4;

export function happened(at: number, next: Upcoming | undefined, effects: readonly Effect[], nameOf: (id: number) => string): Happened {
  const phrases = [...new Set(effects.flatMap((effect) => (effect.kind === "trace" ? (outcome(effect.event, nameOf) ?? []) : [])))];
  const shown = phrases.slice(0, OUTCOMES_MAX);
  if (phrases.length > shown.length) shown.push(`${phrases.length - shown.length} more`);
  const tail = shown.length === 0 ? "" : `; ${shown.join(", ")}`;
  if (next === undefined) return { at, text: `an event${tail}`, node: null };
  const place = next.node ?? "";
  if (next.what === "act") return { at, text: `act: ${next.text}${tail}`, node: next.node };
  if (next.what === "timer") return { at, text: `${place}: ${next.text} ran out${tail}`, node: next.node };
  const lost = next.packet?.arrives === false ? ", lost on the way" : "";
  return { at, text: `${next.from ?? ""} → ${place}: ${next.text}${lost}${tail}`, node: next.node, from: next.from, net: next.net };
}
