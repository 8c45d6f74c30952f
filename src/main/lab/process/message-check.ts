/** Judges what a lab says against the schemas of the API; see client.ts. Apart from it because exec must start without them. */
import { event, replyMessage } from "../api.ts";

/** True for a reply or an event of the API. */
export function wellFormed(message: unknown): boolean {
  const isEvent = typeof message === "object" && message !== null && "event" in message;
  return (isEvent ? event : replyMessage).safeParse(message).success;
}
