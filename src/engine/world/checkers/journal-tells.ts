/**
 * The journal tells what happened: each new membership has its line, with the ring and who joined and left, each change of quorum has its line, each verdict
 * the list of its members; and no such line stands there without its change. Left out: a daemon that does not log to syslog,
 * and a journal that has been turned away.
 */
import type { JournalLine, MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";

interface Told {
  /** Members of the last regular configuration, and of the transitional one since. */
  members: readonly number[];
  along: readonly number[];
  /** A membership whose line has yet to come. */
  awaited: string | undefined;
  quorate: boolean;
  /** What was said of quorum, and listed as members, since the last verdict. */
  said: boolean | undefined;
  listed: string;
}

const MEMBERSHIP = /^A new membership \(\S+\) was formed\./;
const WITHIN = "This node is within the primary component and will provide service.";
const WITHOUT = "This node is within the non-primary component and will NOT provide any services.";

export class JournalTells implements Checker {
  readonly name = "journal-tells";
  readonly sentence = "each change of membership and quorum has its journal line, and each such line its change";
  private readonly told = new Map<string, Told>();

  begin(statuses: readonly MachineStatus[]): void {
    for (const { name, corosync, quorum } of statuses) {
      if (corosync === null) continue;
      const told = this.of(name);
      told.members = corosync.members;
      told.quorate = quorum?.quorate ?? false;
    }
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what === "membership") this.membership(this.of(machine), machine, event, complain);
    else if (event.what === "quorum") this.verdict(this.of(machine), machine, event, complain);
  }

  private membership(told: Told, machine: string, event: Extract<TraceEvent, { what: "membership" }>, complain: Complain): void {
    if (told.awaited !== undefined) complain(`${machine} wrote no line: ${told.awaited}`);
    told.awaited = undefined;
    if (event.transitional) {
      told.along = event.members;
      return;
    }
    const part = (word: string, ids: readonly number[]): string => (ids.length === 0 ? "" : ` ${word}: ${ids.join(" ")}`);
    const joined = event.members.filter((id) => !told.along.includes(id));
    const left = told.members.filter((id) => !told.along.includes(id));
    told.awaited = `A new membership (${event.ring}) was formed. Members${part("joined", joined)}${part("left", left)}`;
    told.members = event.members;
  }

  private verdict(told: Told, machine: string, event: Extract<TraceEvent, { what: "quorum" }>, complain: Complain): void {
    const change = event.quorate === told.quorate ? undefined : event.quorate;
    if (told.said !== change)
      complain(
        `${machine} became ${event.quorate ? "quorate" : "inquorate"} on ${event.ring}, was ${told.quorate ? "quorate" : "inquorate"}, and said ${said(told)}`,
      );
    const list = `[${event.members.length}]:${event.members.map((id) => ` ${id}`).join("")}`;
    if (told.listed !== list) complain(`${machine} listed "Members${told.listed}" for "Members${list}" on ${event.ring}`);
    told.quorate = event.quorate;
    told.said = undefined;
    told.listed = "";
  }

  journal(machine: string, line: JournalLine, complain: Complain): void {
    if (line.unit !== "corosync") return;
    if (line.subsystem === "TOTEM" && MEMBERSHIP.test(line.text)) {
      const told = this.of(machine);
      if (told.awaited !== line.text) complain(`${machine} wrote "${line.text}" for "${told.awaited ?? "no change"}"`);
      told.awaited = undefined;
    } else if (line.subsystem === "QUORUM") this.quorumLine(this.of(machine), line.text);
  }

  private quorumLine(told: Told, text: string): void {
    if (text === WITHIN || text === WITHOUT) told.said = text === WITHIN;
    else if (text.startsWith("Members[")) {
      const list = text.slice("Members".length);
      // A long list goes on in further lines.
      told.listed = told.listed.endsWith("\\") ? told.listed.slice(0, -1) + list.slice(list.indexOf(":") + 1) : list;
    }
  }

  gone(machine: string): void {
    this.told.delete(machine);
  }

  atRest(_statuses: unknown, complain: Complain): void {
    for (const [machine, told] of this.told) {
      if (told.awaited !== undefined) complain(`${machine} wrote no line: ${told.awaited}`);
      if (told.said !== undefined || told.listed !== "") complain(`${machine} said ${said(told)} without a verdict`);
    }
  }

  private of(machine: string): Told {
    const known = this.told.get(machine);
    if (known !== undefined) return known;
    const made: Told = { members: [], along: [], awaited: undefined, quorate: false, said: undefined, listed: "" };
    this.told.set(machine, made);
    return made;
  }
}

function said(told: Told): string {
  return told.said === undefined
    ? "nothing of it"
    : told.said
      ? "that it is in the primary component"
      : "that it is not in the primary component";
}
