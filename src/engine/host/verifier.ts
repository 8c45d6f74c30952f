/**
 * Compares what a worker did with what the replica in the hub did: by one digest a stretch, and where that differs by halving the stretch until the first event is found that
 * was another one. In the real stack nothing compares two runs; the lab can, since a run is determined by its inputs. Left out: what a difference leads to (hub.ts).
 */
import type { Instant } from "../kernel/index.ts";
import type { Round } from "./confirmations.ts";
import type { StampedCommit } from "./disk-sink.ts";
import type { DigestPair, Entries, Entry } from "./event-log.ts";
import type { Confirmation, WorkerProcess } from "./worker-process.ts";

/** A stretch that the worker has been told and has not confirmed. */
export interface Told {
  readonly round: Round;
  readonly entries: Entries;
  readonly digest: DigestPair;
  readonly commits: readonly StampedCommit[];
  readonly bytes: number;
}

/** Where two runs part: the entries that differ, or the ones before them whose timers do. */
export interface Difference {
  readonly own: Entry | undefined;
  readonly other: Entry | undefined;
  readonly sameEvent: boolean;
}

/** The first entry that differs, where those before the stretch are the same. */
export async function firstDifference(own: Entries, other: (index: number) => Promise<Entry | undefined>): Promise<Difference> {
  const same = async (index: number): Promise<boolean> => {
    const [mine, theirs] = [own.at(index), await other(index)];
    return mine?.digest[0] === theirs?.digest[0] && mine?.digest[1] === theirs?.digest[1];
  };
  // All before `low` are the same, `high` and all after it are not.
  let [low, high] = [0, own.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await same(middle)) low = middle + 1;
    else high = middle;
  }
  // What an event leaves to come is in the digest of the one after it.
  const [before, beforeThere] = low > 0 ? [own.at(low - 1), await other(low - 1)] : [undefined, undefined];
  if (before !== undefined && before.next !== beforeThere?.next) return { own: before, other: beforeThere, sameEvent: true };
  return { own: own.at(low), other: await other(low), sameEvent: false };
}

const timerText = (at: Instant): string => (Number.isFinite(at) ? `${at}` : "none");

/** What a difference is, for people: what the worker did, beside what it should have done. */
export function differenceText({ own, other, sameEvent }: Difference): string {
  if (own === undefined) return "does more than the node here";
  const where = own.kind === "state" ? `the second of ${own.at}` : `the ${own.kind} of ${own.at}`;
  if (other === undefined) return `does nothing at ${where}`;
  if (sameEvent) return `sets another timer at ${where}: ${timerText(other.next)}, not ${timerText(own.next)}`;
  if (own.kind !== other.kind || own.at !== other.at) return `comes to the ${other.kind} of ${other.at} before ${where}`;
  return own.kind === "state" ? `is in another state at ${where}` : `does something else at ${where}`;
}

export class Verifier {
  private told: Told[] = [];
  /** The last stretch that was the same. */
  verified = 0;
  /** Of what is told and not confirmed. */
  bytes = 0;
  events = 0;

  constructor(readonly worker: WorkerProcess) {}

  /** The worker has been told. */
  add(told: Told): void {
    this.told.push(told);
    this.bytes += told.bytes;
    this.events += told.entries.length;
  }

  /** The oldest stretch that is not confirmed, where this is its confirmation. */
  take(confirmation: Confirmation): { readonly told: Told; readonly same: boolean } | undefined {
    const [told] = this.told;
    if (told?.round.sequence !== confirmation.sequence) return undefined;
    const same = told.digest[0] === confirmation.digest[0] && told.digest[1] === confirmation.digest[1];
    if (!same) return { told, same };
    this.told.shift();
    this.bytes -= told.bytes;
    this.events -= told.entries.length;
    this.verified = confirmation.sequence;
    return { told, same };
  }

  /** What is wrong with a stretch whose digest differs. */
  async explain(told: Told): Promise<string> {
    const { sequence, from, until } = told.round;
    const difference = await firstDifference(told.entries, async (index) => {
      const answer = await this.worker.ask({ ask: "entry", sequence, index });
      return answer?.say === "entry" ? answer.entry : undefined;
    });
    // One that ended meanwhile has told what is known by now.
    return this.worker.gone === undefined ? differenceText(difference) : `does something else between ${from} and ${until}`;
  }

  /** Takes what the worker will not confirm any more. */
  rest(): readonly Told[] {
    const { told } = this;
    this.told = [];
    return told;
  }
}
