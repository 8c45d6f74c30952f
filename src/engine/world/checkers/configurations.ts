/**
 * Whether all daemons that run have one idea of who votes and how much. They have not while a reload has reached some of them, or some of their files differ; what
 * they decide then is judged by none of them alike. Who reads a file without itself in it goes on with the votes that it had (observed). Told from the journal's line of a reload and from what each has in force; what a file says beyond the
 * nodelist is not seen here.
 */
import type { JournalLine, MachineStatus } from "../../kernel/index.ts";

const RELOADED = /^Config reload requested by node /;

export class Configurations {
  /** By machine: ids and votes in its nodelist; "" since a reload, until it is looked at, and where it is not in its own list. */
  private readonly known = new Map<string, string>();
  /** Some daemon has read its file again, or two were seen with different ones: from then on everybody is looked at before anything is said. */
  ever = false;

  /** @returns whether the line says that the machine's daemon read its file again */
  journal(machine: string, line: JournalLine): boolean {
    if (line.unit !== "corosync" || !RELOADED.test(line.text)) return false;
    this.ever = true;
    this.known.set(machine, "");
    return true;
  }

  gone(machine: string): void {
    this.known.delete(machine);
  }

  look(statuses: readonly MachineStatus[]): void {
    this.known.clear();
    for (const { name, corosync } of statuses) if (corosync !== null) this.known.set(name, votesOf(corosync));
    this.ever ||= new Set(this.known.values()).size > 1;
  }

  /** All that run agree, as far as they have been looked at, and this one was. */
  agreed(machine: string): boolean {
    const own = this.known.get(machine);
    return own !== undefined && own !== "" && [...this.known.values()].every((other) => other === own);
  }

  /** The same for all of them. */
  get allAgree(): boolean {
    return new Set(this.known.values()).size <= 1 && ![...this.known.values()].includes("");
  }
}

function votesOf({ nodeId, nodelist }: NonNullable<MachineStatus["corosync"]>): string {
  return nodelist.some((n) => n.nodeId === nodeId) ? nodelist.map((n) => `${n.nodeId}:${n.votes}`).join(" ") : "";
}
