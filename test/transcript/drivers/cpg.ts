/**
 * Closed process groups on a total order without a ring: what each member process is told, in its order. Commands: nodes N · ring 1,2 3 (those together form a ring) · join NODE PID GROUP ·
 * leave NODE PID GROUP · die NODE PID · say NODE PID GROUP TEXT · sync 1,2 (a ring forms and does not get as far as cpg) · members NODE GROUP.
 * Shown: what the processes hear since the last block, and the error of a call that is refused.
 */
import type { CpgChange, CpgHandlers } from "../../../src/engine/cpg/index.ts";
import { fromUtf8, utf8 } from "../../../src/engine/kernel/index.ts";
import { alone, form, settle, type Peer } from "../../votequorum/bus.ts";
import type { Driver } from "../told.ts";

/** The service that comes first in a sync after cmap; a sync that stops before it has not reached cpg. */
const CPG = 2;

const listed = (list: readonly (CpgChange | { nodeId: number; pid: number })[]): string =>
  list.map((m) => `${m.nodeId}/${m.pid}${"reason" in m ? ` (${m.reason})` : ""}`).join(", ");

export class CpgDriver implements Driver {
  private peers: Peer[] = [];
  private lines: string[] = [];
  private seq = 5;

  run(line: string): string[] {
    const [verb, ...args] = line.split(" ");
    const [node, pid, group, ...text] = args;
    switch (verb) {
      case "nodes":
        this.peers = alone(Array.from({ length: Number(node) }, (_, i) => i + 1));
        break;
      case "ring":
        for (const ids of args) this.ring(ids);
        break;
      case "sync":
        for (const ids of args) this.ring(ids, CPG);
        break;
      case "join":
        this.answer(line, this.peer(node).cpg.join(group ?? "", Number(pid), this.process(`${node ?? ""}/${pid ?? ""}`)));
        break;
      case "leave":
        this.answer(line, this.peer(node).cpg.leave(group ?? "", Number(pid)));
        break;
      case "die":
        this.peer(node).cpg.died(Number(pid));
        break;
      case "say":
        this.answer(line, this.peer(node).cpg.mcast(group ?? "", Number(pid), utf8(text.join(" "))));
        break;
      case "members":
        return [`node${node ?? ""}: ${listed(this.peer(node).cpg.members(pid ?? "")) || "nobody"}`];
      default:
        throw new Error(`cpg transcripts have no such command: ${line}`);
    }
    for (const ring of this.rings()) settle(ring);
    const said = this.lines;
    this.lines = [];
    return said;
  }

  private peer(id: string | undefined): Peer {
    const found = this.peers.find((p) => p.id === Number(id));
    if (found === undefined) throw new Error(`there is no node ${id ?? ""}`);
    return found;
  }

  /** Messages reach those of the sender's ring. */
  private rings(): Peer[][] {
    const keys = [...new Set(this.peers.map((p) => p.ring.join(",")))];
    return keys.map((key) => this.peers.filter((p) => p.ring.join(",") === key));
  }

  private ring(ids: string, until?: number): void {
    const peers = ids.split(",").map((id) => this.peer(id));
    this.seq += 4;
    form(peers, { rep: Math.min(...peers.map((p) => p.id)), seq: this.seq }, until);
  }

  private answer(line: string, error: string | undefined): void {
    if (error !== undefined) this.lines.push(`${line}: ${error}`);
  }

  private process(name: string): CpgHandlers {
    const hear = (text: string): void => void this.lines.push(`${name.padEnd(6)} ${text}`);
    return {
      confchg: ({ members, left, joined }) => {
        const changes = [left.length > 0 ? `left ${listed(left)}` : "", joined.length > 0 ? `joined ${listed(joined)}` : ""];
        hear(`members ${listed(members)}: ${changes.filter((c) => c !== "").join("; ")}`);
      },
      deliver: (from, message) => hear(`from ${from.nodeId}/${from.pid}: ${fromUtf8(message)}`),
      totem: (ring, members) => hear(`ring ${ring.rep}.${ring.seq.toString(16)} of nodes ${members.join(" ")}`),
    };
  }
}
