/** The program of a terminal tab: one shell of root on one node, behind a pseudo terminal, until it is closed. */
import { connectSocket } from "../lab/process/client.ts";
import type { LabClient } from "../lab/process/client.ts";
import { drained } from "../lab/process/drained.ts";
import { ClientPort } from "./client-port.ts";
import { endWithParent } from "./parent.ts";
import { Terminal } from "./console/terminal.ts";
import { ConsoleSession } from "./console/session.ts";

async function main(): Promise<number> {
  const { QUORATE_SOCKET: socket, QUORATE_SECRET: secret, QUORATE_NODE: node, QUORATE_LINE: line } = process.env;
  if (socket === undefined || secret === undefined || node === undefined) {
    process.stderr.write(
      "quorate: this program is started by a lab, with QUORATE_SOCKET, QUORATE_SECRET and QUORATE_NODE in its environment\n",
    );
    return 2;
  }
  const client: LabClient | undefined = await connectSocket(socket, secret).catch(() => undefined);
  if (!client) {
    process.stderr.write("quorate: the lab does not answer\n");
    return 255;
  }
  process.stdin.setRawMode?.(true);
  const terminal = new Terminal({
    input: process.stdin,
    write: (text) => void process.stdout.write(text),
    size: () => ({ cols: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
  });
  const session = new ConsoleSession(client, new ClientPort(client, node, false), terminal);
  process.stdout.on("resize", () => session.resized());
  // SIGHUP and SIGTERM keep what the kernel does by itself: it ends a process that has no turn for a handler, too.
  endWithParent();
  client.closed.then(
    (reason) => {
      terminal.write(`\r\nquorate: ${reason}\r\n`);
      process.exit(255);
    },
    () => process.exit(255),
  );
  const status = line === undefined ? await session.interact() : await session.once(line);
  process.stdin.setRawMode?.(false);
  return status;
}

const status = await main().catch((error: unknown) => {
  process.stderr.write(`quorate: the console failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 255;
});
await drained();
process.exit(status);
