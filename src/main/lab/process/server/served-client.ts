/** What the server keeps of one client: what it is sent, and what runs for it, so that it goes with it. */
import type { Channel, JournalLine } from "../../api.ts";
import type { Asker } from "../../history/tasks.ts";
import type { ShellClient } from "../../shell/shells.ts";

export interface ServedClient {
  readonly channel: Channel;
  authenticated: boolean;
  /** It runs a node's shell: what it is told stays in the lab. */
  inside: boolean;
  snapshots: boolean;
  journal: ((line: JournalLine) => boolean) | undefined;
  trace: boolean;
  /** Number of the lab's change, and instant, that the last snapshot showed. */
  shown: { changes: number; instant: number } | undefined;
  /** A page in a browser: what it asks for stays near the lab. */
  readonly page: boolean;
  readonly execs: Set<string>;
  readonly terminals: Set<string>;
  /** Lines typed at its prompt that have not ended, by its own number: the number of the entry in the task log. */
  readonly typed: Map<number, number>;
  /** Modelled commands by id, each with its node. */
  readonly commands: Map<string, string>;
  /** Its shells on the nodes, where it has any. */
  shell: ShellClient | undefined;
  /** Sleeps and the like that it waits for. */
  underWay: number;
  /** Gives the floor back, where it has it. */
  release: (() => void) | undefined;
}

export function servedClient(channel: Channel, authenticated: boolean): ServedClient {
  return {
    channel,
    authenticated,
    page: authenticated,
    inside: false,
    snapshots: false,
    journal: undefined,
    trace: false,
    shown: undefined,
    execs: new Set(),
    terminals: new Set(),
    typed: new Map(),
    commands: new Map(),
    shell: undefined,
    underWay: 0,
    release: undefined,
  };
}

/** Who asks, for the task log. Who draws snapshots is a page, whichever way it came. */
export function askerOf({ page, snapshots }: ServedClient): Asker {
  return { by: page || snapshots ? "page" : "command-line", at: null };
}

/** Something comes to the client as it happens. The connection of a shell that waits for its next line is none. */
export function looksOn({ snapshots, journal, trace, execs, terminals, commands, shell, underWay, release }: ServedClient): boolean {
  const shown = snapshots || journal !== undefined || trace;
  return (
    shown || execs.size > 0 || terminals.size > 0 || commands.size > 0 || shell?.busy === true || underWay > 0 || release !== undefined
  );
}
