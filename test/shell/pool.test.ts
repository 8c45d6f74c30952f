/** The processes in which lines run: which of them are good for another line. */
import { setTimeout as wallMs } from "node:timers/promises";
import { expect, it } from "vitest";
import { SessionProcess } from "../../src/main/lab/process/session/session-process.ts";

it("a process that has much to do while it starts is good for a line afterwards", async () => {
  let gone = false;
  const one = new SessionProcess({
    // It connects when it gets a line, and gets none.
    env: { ...process.env, QUORATE_SOCKET: "/nowhere", QUORATE_SECRET: "none" },
    begun: () => undefined,
    free: () => undefined,
    gone: () => (gone = true),
  });
  // As often as the kernel's clock of processor time goes on, which is oftener than the pool looks.
  for (let waited = 0; !one.started && waited < 60_000; waited += 20) {
    one.look();
    await wallMs(20);
  }
  expect([one.started, one.reusable, one.load]).toEqual([true, true, 0]);
  one.dismiss();
  for (let waited = 0; !gone && waited < 10_000; waited += 20) await wallMs(20);
  expect(gone).toBe(true);
});
