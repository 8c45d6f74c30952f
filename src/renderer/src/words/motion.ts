/** What the page says of time: speeds, slow motion, what is awaited, what one event was, what comes next. */

export const oneEvent = "One event";
export const oneWindow = "One window: every event within the shortest delay";
export const speedTitle = "Virtual seconds per second";
export const slowOnChange = "Slow on change";
export const slowOnChangeTitle =
  "Slow down by itself when a token is lost, a join is heard or a ring forms; go back when every node is operational again";
export const slowDownTo = (name: string): string => `Slow on change: down to ${name}`;
export const slowSpeeds = "Slow down to";
export const speedHeading = "Speed";
export const slowedDown = (name: string): string => `slowed to ${name}`;
export const slowedDownTitle = "Something is changing. The lab goes back to its speed when every node has been operational for a while.";

export const turnOn = (name: string): string => `Slow on change: run, and slow down to ${name} by itself`;
export const turnOff = "Slow on change: off";
export const slowTo = (name: string): string => `Slow on change: slow down to ${name}`;
export const said = (on: boolean, name: string): string => (on ? `slows down to ${name} when something changes` : "keeps its speed");

/** "link 0 to pve3: pongs 2 of 3" */
export const pongs = (link: number, to: string, count: number, needed: number): string =>
  `link ${link} to ${to}: pongs ${count} of ${needed}`;
export const pongsShort = (count: number, needed: number): string => `pongs ${count} of ${needed}`;
/** "token 1.2 of 3.1 s" */
export const passed = (what: "token" | "consensus", seconds: number, of: number): string =>
  `${what} ${seconds.toFixed(1)} of ${of.toFixed(1)} s`;
export const more = (count: number): string => `and ${count} more`;
/** What the line says where nothing is awaited: by what the tokens do. */
export function idle(tokens: readonly ("rests" | "travels" | "lost")[]): string {
  if (tokens.length === 0) return "No ring, and nothing is awaited.";
  if (tokens.includes("lost")) return "The token is lost; the nodes have not noticed yet.";
  return tokens.includes("travels") ? "The token is on its way." : "The ring is idle: the token is held for a while, and goes on.";
}

export const rate = (rotations: string, node: string | null): string =>
  node === null ? `${rotations} rotations/s` : `${rotations} rotations/s, rests at ${node}`;
export const noRate = "—";
export const tokenLost = "no token: lost";
export const holding = (left: string, of: string): string => `held, ${left} of ${of} left`;
export const holdingShort = (left: string): string => `${left} left`;
export const holdSkipped = (time: string): string => `hold ${time} skipped`;
export const skipped = (time: string): string => `${time} skipped`;
export const sequence = (seq: number): string => `seq ${seq}`;

export const messages = { join: "join", "commit-token": "commit token", retransmit: "retransmits" } as const;

export const region = "What happens now and next";
export const next = "Next";
export const nextTitle = "What can happen next, in order. What happens before an entry may stop it.";
export const nextList = "What can happen next";
export const nothingNext = "Nothing is under way.";
export const inTime = (time: string): string => `in ${time}`;
export const now = "now";
export const deliver = (text: string, from: string, to: string): string => `${text}: ${from} → ${to}`;
export const willBeLost = "will be lost: its path is cut";
export const ofNode = (text: string, node: string): string => `${text} of ${node}`;
export const drop = "Drop";
export const dropTitle = "The packet is lost. The act is recorded and cannot be undone.";
export const fieldsOf = (text: string): string => `Fields of ${text}`;
export const size = (bytes: number): string => `${bytes} bytes`;
export const link = (net: string): string => `on ${net}`;
