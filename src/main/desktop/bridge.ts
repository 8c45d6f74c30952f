/** Carries the lab's messages over a MessagePort to the page and back. What the page says is judged by the API's schema before it goes on. */
import type { MessagePortMain } from "electron";
import { requestMessage, type Channel } from "../lab/api.ts";

/** Joins a page's port and a channel to the lab that has already done its handshake. When one ends, so does the other. */
export function joinPort(port: MessagePortMain, lab: Channel): void {
  port.on("message", ({ data }: { data: unknown }) => {
    const parsed = requestMessage.safeParse(data);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      port.postMessage({
        id: messageId(data),
        ok: false,
        error: { code: "usage", message: `not a request: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}` },
      });
    } else if (parsed.data.request.op === "hello") {
      // The window needs no secret: the port itself was handed to it.
      port.postMessage({ id: parsed.data.id, ok: true, result: {} });
    } else lab.send(parsed.data);
  });
  port.on("close", () => lab.close());
  lab.onMessage((message) => port.postMessage(message));
  // A lab that goes in order says so itself; one that is killed says nothing, and the page hears that its port is closed.
  lab.onClose(() => port.close());
  port.start();
}

function messageId(data: unknown): number {
  return typeof data === "object" && data !== null && "id" in data && typeof data.id === "number" ? data.id : 0;
}
