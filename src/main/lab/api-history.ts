/** The lab's history as a message: what each machine believed and what was done, for as long as the lab has run. Pure, as api.ts is. */
import { z } from "zod";
import type { band, mark } from "./api-snapshot.ts";

const instant = z.number();

/** Who did something: in a page, by `quorate`, at a node's prompt, or the lab itself. */
export const actor = z.enum(["page", "command-line", "terminal", "lab"]);

/** One entry of the task log. */
export const task = z.object({
  id: z.number(),
  /** Grows with every entry that is new or changed; `since` of the request is compared with it. */
  revision: z.number(),
  instant,
  by: actor,
  /** The node at whose prompt it was typed. */
  at: z.string().nullable(),
  /** `act`: an acting line; `command`: typed at a prompt; `file`: a file written from the page; `lab`: undo, rollback and other things done to the lab as a whole. */
  kind: z.enum(["act", "command", "file", "lab"]),
  /** What was asked for, as it is typed. */
  line: z.string(),
  /** What was done, as a sentence, or why it was refused. */
  said: z.string(),
  /** `lost`: nobody knows how it ended. */
  result: z.enum(["running", "done", "refused", "lost"]),
  /** Exit status of a command that has ended. */
  status: z.number().nullable(),
  /** Machines that it names. */
  nodes: z.array(z.string()),
});

/** A part of the timeline, thinned to what so many pixels can show. */
export interface TimelineWindow {
  /** Where the timeline begins. */
  readonly begins: number;
  readonly bands: z.infer<typeof band>[];
  /** Acts in it, in order. */
  readonly marks: z.infer<typeof mark>[];
  /** Acts before this instant are kept no longer; null: all of them are. */
  readonly marksFrom: number | null;
  /** Bands of the lab's whole run that were merged to bound what is kept. */
  readonly merged: number;
}

export interface TaskList {
  /** Those with a later revision than was asked for, in the order they began. */
  readonly tasks: Task[];
  readonly revision: number;
  /** Older ones that are kept no longer. */
  readonly dropped: number;
}

export type Task = z.infer<typeof task>;
export type Actor = z.infer<typeof actor>;
