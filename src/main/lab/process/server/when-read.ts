/** Back-pressure from a client to what puts out for it: when the client has read what it was sent. */
import type { Channel } from "../../api.ts";

/** What may wait in a client's line while more is put out for it. */
const unreadMaxBytes = 64 * 1024;
/** How often a line that is full is looked at, ms. */
const lookMs = 10;

/** More waits for its client than it should. */
export const isFull = (channel: Channel): boolean => (channel.backlog?.() ?? 0) > unreadMaxBytes;

/** Calls `then` when the channel has room, or its client is no longer `there`. */
export function whenRead(channel: Channel, there: () => boolean, then: () => void): void {
  const full = (): boolean => there() && isFull(channel);
  if (!full()) return then();
  const timer = setInterval(() => {
    if (full()) return;
    clearInterval(timer);
    then();
  }, lookMs);
}
