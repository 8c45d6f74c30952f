/**
 * A process that runs lines: warm, so that a line costs no start. The lab's process sends lines over IPC and gets output and status back; every line has
 * a connection of its own to the lab, because the floor belongs to a connection.
 */
import "../../engine/host/tiering.ts";
import { BEAT_MS, type ToSession } from "../lab/protocol.ts";
import { connectSocket } from "../lab/process/client.ts";
import type { LabClient } from "../lab/process/client.ts";
import { ClientPort } from "./client-port.ts";
import { LAB_FAILED, runLine } from "./exec.ts";
import { Interrupt } from "./interrupt.ts";
import { LineOutput } from "./line-output.ts";
import { endWithParent, tellParent } from "./parent.ts";

/** Characters of input a line may have waiting. */
const INPUT_MAX = 16 * 1024 * 1024;

interface Running {
  interrupt: Interrupt;
  output: LineOutput;
  input: (string | null)[];
  inputSize: number;
  wake: (() => void) | undefined;
}

const running = new Map<string, Running>();
/** Says now and then that this process goes on, while it has a line to run. */
let beat: NodeJS.Timeout | undefined;

/** A connection that is ready before the next line needs it. */
class Spare {
  private ready: Promise<LabClient | undefined> | undefined;

  constructor(
    private readonly socket: string,
    private readonly secret: string,
  ) {}

  prepare(): void {
    this.ready ??= connectSocket(this.socket, this.secret).catch(() => undefined);
  }

  async take(): Promise<LabClient | undefined> {
    this.prepare();
    const ready = this.ready;
    this.ready = undefined;
    return ready;
  }
}

async function nextInput(state: Running): Promise<string | null> {
  for (;;) {
    const [first] = state.input;
    if (first === null) return null;
    if (first !== undefined) {
      state.input.shift();
      state.inputSize -= first.length;
      return first;
    }
    await new Promise<void>((resolve) => (state.wake = resolve));
  }
}

async function run(spare: Spare, id: string, node: string, line: string): Promise<void> {
  const output = new LineOutput((stream, data) => tellParent({ kind: "output", id, stream, data }));
  const state: Running = { interrupt: new Interrupt(), output, input: [], inputSize: 0, wake: undefined };
  running.set(id, state);
  beat ??= setInterval(() => tellParent({ kind: "beat" }), BEAT_MS).unref();
  let told = false;
  const tell = (status: number): void => {
    if (told) return;
    told = true;
    output.end();
    tellParent({ kind: "exit", id, status });
  };
  try {
    const client = await spare.take();
    if (!client) output.put("stderr", "quorate: the lab does not answer\n");
    else {
      try {
        const port = new ClientPort(client, node, true);
        const status = await runLine(port, line, {
          stdout: (data) => output.put("stdout", data),
          stderr: (data) => output.put("stderr", data),
          room: () => output.room(),
          stdin: () => nextInput(state),
          interrupt: state.interrupt,
          left: (left) => {
            port.yieldFloor();
            tell(left);
          },
        });
        tell(status);
      } finally {
        client.close();
      }
    }
  } catch (error) {
    output.put("stderr", `quorate: the shell failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
  tell(LAB_FAILED);
  running.delete(id);
  if (running.size === 0) {
    clearInterval(beat);
    beat = undefined;
  }
  tellParent({ kind: "over", id });
  spare.prepare();
}

function input(id: string, data: string | null): void {
  const state = running.get(id);
  if (!state || state.input.includes(null)) return;
  state.inputSize += data?.length ?? 0;
  if (state.inputSize > INPUT_MAX) {
    state.output.put("stderr", `quorate: more than ${INPUT_MAX / 1048576} MiB of input are waiting; the rest is cut off\n`);
    state.input.push(null);
  } else state.input.push(data);
  state.wake?.();
}

function main(): void {
  const { QUORATE_SOCKET: socket, QUORATE_SECRET: secret } = process.env;
  if (socket === undefined || secret === undefined || !process.send) {
    process.stderr.write("quorate: this program is started by a lab, with QUORATE_SOCKET and QUORATE_SECRET in its environment\n");
    process.exit(2);
  }
  const spare = new Spare(socket, secret);
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    // Only the lab's own process can write to this channel.
    const asked = message as ToSession;
    if (asked.kind === "run") void run(spare, asked.id, asked.node, asked.line);
    else if (asked.kind === "input") input(asked.id, asked.data);
    else if (asked.kind === "taken") running.get(asked.id)?.output.taken(asked.chars);
    else {
      tellParent({ kind: "signalled", id: asked.id });
      running.get(asked.id)?.interrupt.fire(2);
    }
  });
  endWithParent();
  spare.prepare();
  tellParent({ kind: "ready" });
}

main();
