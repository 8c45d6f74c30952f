/** Commands that the machine itself answers: questions at once, acts as a running command with output, prompts and signals. */
import { Interrupt, Interrupted } from "../interrupt.ts";
import { signalNamed } from "../../../engine/kernel/signals.ts";
import { decode, textOf } from "../bytes.ts";
import type { Context } from "../interpreter/shell.ts";
import { say } from "../interpreter/shell.ts";
import type { CommandEvent, RunningCommand } from "../port.ts";
import { tooLong } from "../outgoing.ts";
import { PortError } from "../port.ts";
import type { Process } from "../processes.ts";
import type { OpenFile } from "../streams.ts";
import { BrokenPipe } from "../streams.ts";

/** How long a command that got a signal may take to end, ms of wall time. */
const GRACE_MS = 1500;

/** @returns the exit status; undefined when the machine has no such command */
export async function runModelled(ctx: Context, tokens: readonly string[]): Promise<number | undefined> {
  const { system, cwd } = ctx.shell;
  const argv = tokens.map(textOf);
  if (tooLong(argv, ctx.shell.environment())) {
    await say(ctx, 2, `bash: ${argv[0]?.slice(0, 200) ?? ""}: Argument list too long\n`);
    return 126;
  }
  const session = system.process?.id;
  const query = { kind: "command", argv, cwd, stdin: "", ...(session === undefined ? {} : { session }) } as const;
  const reply = await ctx.interrupt.race(system.query(query));
  switch (reply.kind) {
    case "no-such-command":
      return undefined;
    case "result":
      await say(ctx, 1, reply.stdout);
      await say(ctx, 2, reply.stderr);
      return reply.status;
    case "acts":
      return runActing(ctx, argv);
    case "error":
      throw new PortError("node-off", `the machine does not answer (${reply.errno})`);
    default:
      throw new PortError("protocol", `unexpected answer to a command: ${reply.kind}`);
  }
}

/** As a process of the machine: in the place of the one that has nothing else to do, or as a child of the one that runs this. */
async function started(ctx: Context, argv: readonly string[]): Promise<{ command: RunningCommand; own: Process | undefined }> {
  const { system, cwd, interactive, subshell } = ctx.shell;
  const own = ctx.last ? ctx.process : undefined;
  const parent = own ? own.parent : ctx.process;
  if (own?.known) await own.announce();
  else await parent?.announce();
  // One that is stopped meanwhile begins when it goes on.
  await system.step(ctx.interrupt);
  const options = own?.there ? { process: own.there } : { parent: parent?.there, group: own ? own.group : interactive && subshell === 0 };
  const command = await system.run(argv, cwd, ctx.shell.environment(), options);
  own?.becomes(command);
  return { command, own };
}

async function runActing(ctx: Context, argv: readonly string[]): Promise<number> {
  const { command, own } = await started(ctx, argv);
  const stop = new Interrupt();
  let brokenPipe = false;
  const offSignal = ctx.interrupt.onFire((signal) => command.signal(signalNamed(String(signal)) ?? "SIGTERM"));
  const offBroken = ctx.fds.get(1)?.device.onBroken?.(() => {
    brokenPipe = true;
    command.signal("SIGTERM");
  });
  let grace: NodeJS.Timeout | undefined;
  const offGrace = ctx.interrupt.onFire((signal) => (grace = setTimeout(() => stop.fire(signal), GRACE_MS)));
  try {
    for (;;) {
      const event = await stop.race(ctx.shell.system.wait(command.next()));
      if (event.kind === "exit") {
        // A program that takes the signal as an order to end well has its own status.
        if (event.status > 128) ctx.interrupt.check();
        if (brokenPipe) throw new BrokenPipe();
        return event.status;
      }
      if (event.kind === "stopped") own?.stopped(event.stopped);
      else if (event.kind === "prompt") await answer(ctx, command, event.echo);
      else if (!brokenPipe) brokenPipe = !(await pass(ctx, event, stop, command));
    }
  } finally {
    offSignal();
    offBroken?.();
    offGrace();
    clearTimeout(grace);
  }
}

/** Passes output on. @returns false when nobody reads it any more: the command is told to end */
async function pass(ctx: Context, event: CommandEvent & { kind: "output" }, stop: Interrupt, command: RunningCommand): Promise<boolean> {
  try {
    await ctx.fds.get(event.stream === "stdout" ? 1 : 2)?.write(event.text, stop);
    return true;
  } catch (error) {
    if (!(error instanceof BrokenPipe)) throw error;
    command.signal("SIGTERM");
    return false;
  }
}

async function answer(ctx: Context, command: RunningCommand, echo: boolean): Promise<void> {
  try {
    command.input(await readAnswer(ctx, ctx.fds.get(0), echo));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    // the command got the signal itself and says what it has to say
  }
}

async function readAnswer(ctx: Context, input: OpenFile | undefined, echo: boolean): Promise<string | undefined> {
  if (!input) return undefined;
  if (!echo && input.device.readSecret) return (await input.device.readSecret(ctx.interrupt)) ?? undefined;
  const line = await input.readLine(ctx.interrupt);
  if (line === null) return undefined;
  return decode(line).replace(/\n$/, "");
}
