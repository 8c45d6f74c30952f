/** Engines with one rule broken. Each must be caught by the checker of the invariant that the rule keeps. */
import type { Patch } from "./bundle.ts";

export interface Mutant {
  /** What is broken, as a sentence. */
  readonly rule: string;
  /** The invariant that must complain. */
  readonly invariant: string;
  readonly patch: Patch;
  /** The rule is one of an option of the quorum section. */
  readonly options?: true;
  /** The rule is one of the quorum device. */
  readonly qdevice?: true;
  /** The rule is one of a file that is read again. */
  readonly reloads?: true;
  readonly releases?: boolean;
  /** Schedules from this seed on, since those before do not show it: a run of all tests takes long enough. */
  readonly first?: number;
  /** One of those that are tried in long runs only. */
  readonly long?: true;
}

export const mutants: readonly Mutant[] = [
  {
    rule: "a message is delivered although an earlier one is missing",
    invariant: "total-order",
    patch: {
      file: "totem/delivery.ts",
      find: "if (message === undefined && !skipHoles) return;",
      replace: "if (message === undefined && !skipHoles && seq % 2 === 0) return;",
    },
  },
  {
    rule: "a node that misses messages gives its own the last number again",
    invariant: "total-order",
    patch: {
      file: "totem/token.ts",
      find: "seq: ++token.seq,",
      replace: "seq: s.myAru < token.seq - 1 && s.phase === 'operational' ? token.seq : ++token.seq,",
    },
  },
  {
    rule: "a node now and then leaves out a message of its own",
    invariant: "self-delivery",
    patch: {
      file: "totem/delivery.ts",
      find: "if (message.encapsulated) continue;",
      replace: "if (message.encapsulated || (message.from === t.params.nodeId && seq % 50 === 0)) continue;",
    },
  },
  {
    rule: "members do not re-send each other the old ring's messages in recovery",
    invariant: "virtual-synchrony",
    first: 13,
    patch: { file: "totem/commit.ts", find: "  originateOldMessages(t, token);\n", replace: "" },
  },
  {
    rule: "process groups keep the members of nodes that are gone",
    invariant: "group-members",
    releases: true,
    patch: {
      file: "cpg/cpg.ts",
      find: "this.dropLost(s.downList);\n    this.addArrivals();\n    this.dropUnlisted();",
      replace: "this.addArrivals();",
    },
  },
  {
    rule: "half of the votes is enough",
    invariant: "one-quorate-component",
    patch: { file: "votequorum/arithmetic.ts", find: "return Math.floor(votes / 2) + 1;", replace: "return Math.ceil(votes / 2);" },
  },
  {
    rule: "the votes expected are those of the nodes that are there",
    invariant: "one-quorate-component",
    patch: {
      file: "votequorum/arithmetic.ts",
      find: "const quorum = input.allowDecrease ? computed : Math.max(input.previous, computed);",
      replace: "const quorum = majorityOf(totalVotes) + Math.min(basis + computed, 0);",
    },
  },
  {
    rule: "an idle ring does not make itself known to others",
    invariant: "one-ring",
    patch: { file: "totem/token.ts", find: "    startMergeDetect(t);\n", replace: "" },
  },
  {
    rule: "who came back is counted among those that come along",
    invariant: "one-configuration",
    patch: {
      file: "totem/commit.ts",
      find: "return e !== undefined && sameRing(e.ring, oldRing) && memb.includes(id);",
      replace: "return e !== undefined && (sameRing(e.ring, oldRing) || e.ring.seq > 0);",
    },
  },
  {
    rule: "messages of other rings are taken for those of one's own",
    invariant: "one-configuration",
    first: 10,
    patch: {
      file: "totem/mcast.ts",
      find: "if (!sameRing(message.ring, s.ring)) {",
      replace: "if (!sameRing(message.ring, s.ring) && !s.memb.includes(message.from)) {",
    },
  },
  {
    rule: "the ring's number is not on stable storage",
    invariant: "ring-ids",
    patch: { file: "corosync/settings.ts", find: "new ByteWriter().u64(seq).done()", replace: "new ByteWriter().u64(0).done()" },
  },
  {
    rule: "nodes that are gone still vote",
    invariant: "quorum-arithmetic",
    patch: { file: "votequorum/arithmetic.ts", find: "    if (!voter.member) continue;\n", replace: "" },
  },
  {
    rule: "one vote more than the quorum is needed",
    invariant: "quorum-arithmetic",
    patch: {
      file: "votequorum/verdict.ts",
      find: "let quorate = s.quorum <= totalVotes;",
      replace: "let quorate = s.quorum < totalVotes;",
    },
  },
  {
    rule: "the line of a new membership leaves out who left",
    invariant: "journal-tells",
    patch: { file: "totem/install.ts", find: '${part("left", left)}`', replace: '${left.length > 1 ? "" : part("left", left)}`' },
  },
  {
    rule: "the loss of quorum is not logged",
    invariant: "journal-tells",
    patch: {
      file: "votequorum/quorum.ts",
      find: "if (!quorate && s.quorate)\n",
      replace: "if (!quorate && s.quorate && members.length > 2)\n",
    },
  },
  {
    rule: "what a node misses it does not ask for",
    invariant: "self-delivery",
    first: 15,
    patch: { file: "totem/token.ts", find: "  askForHoles(t, token, queue);\n", replace: "" },
  },
  {
    rule: "a majority is enough although all are to be waited for",
    invariant: "wait-for-all",
    options: true,
    patch: {
      file: "votequorum/verdict.ts",
      find: "if (totalVotes !== expected) {",
      replace: "if (totalVotes !== expected && totalVotes < this.table.state.quorum) {",
    },
  },
  {
    rule: "the quorum follows who leaves in order, however few remain",
    invariant: "quorum-arithmetic",
    options: true,
    first: 33,
    patch: {
      file: "votequorum/verdict.ts",
      find: "const basis = s.options.allowDownscale ? Math.max(count, s.evBarrier) : count;",
      replace: "const basis = count;",
    },
  },
  {
    rule: "who hears from any member need not wait any more",
    invariant: "wait-for-all",
    options: true,
    patch: {
      file: "votequorum/messages.ts",
      find: "(node.flags & (FLAG_QUORATE | FLAG_WFA_STATUS)) === FLAG_QUORATE)",
      replace: "nodeId !== us.nodeId)",
    },
  },
  {
    rule: "ffsplit gives both halves the vote",
    invariant: "one-device-vote",
    qdevice: true,
    first: 9,
    patch: {
      file: "qdevice/qnetd/ffsplit.ts",
      find: 'client.ffsplit = has(winner, client.nodeId) ? "ack" : "nack";',
      replace: 'client.ffsplit = "ack";',
    },
  },
  {
    rule: "a device that has lost its server keeps the vote",
    invariant: "one-device-vote",
    qdevice: true,
    first: 9,
    patch: {
      file: "qdevice/device/net.ts",
      find: 'this.device.result("NACK", "qdevice_model_net_run", after);',
      replace: 'this.device.result("No change", "qdevice_model_net_run", after);',
    },
  },
  {
    rule: "a device does not hear that it is refused the vote",
    invariant: "one-device-vote",
    long: true,
    qdevice: true,
    patch: {
      file: "qdevice/device/net.ts",
      find: "  private use(told: Vote, ring: RingId, old: string, after?: AfterPoll): void {\n",
      replace: '  private use(told: Vote, ring: RingId, old: string, after?: AfterPoll): void {\n    if (told === "NACK") told = "ACK";\n',
    },
  },
  {
    rule: "any half is as good as the one with the tie breaker",
    invariant: "quorum-arithmetic",
    long: true,
    options: true,
    patch: {
      file: "votequorum/verdict.ts",
      find: "tieBreakerIsHere(s.options.tieBreaker, s, (text) => this.hooks.debug(text));",
      replace: "(tieBreakerIsHere(s.options.tieBreaker, s, (text) => this.hooks.debug(text)) || s.members.length > 0);",
    },
  },
  {
    rule: "last_man_standing does not wait for its window",
    invariant: "last-man-standing",
    first: 7,
    options: true,
    patch: {
      file: "votequorum/votequorum.ts",
      find: "this.port.now() + s.options.windowMs * MS);",
      replace: "this.port.now() + s.options.windowMs);",
    },
  },
  {
    rule: "one of two that has just started need not wait for the other",
    invariant: "wait-for-all",
    long: true,
    options: true,
    patch: {
      file: "votequorum/votequorum.ts",
      find: "if (!runtime && s.options.waitForAll) this.table.setWaiting(true);",
      replace: "if (!runtime && s.options.waitForAll && !s.options.twoNode) this.table.setWaiting(true);",
    },
  },
  {
    rule: "a reload leaves the own votes as they were",
    invariant: "quorum-arithmetic",
    reloads: true,
    first: 7,
    patch: { file: "votequorum/votequorum.ts", find: "us.votes = params.votes;", replace: "if (!runtime) us.votes = params.votes;" },
  },
  {
    rule: "nobody is told of the votes that a reload gave",
    invariant: "quorum-arithmetic",
    long: true,
    reloads: true,
    patch: {
      file: "votequorum/votequorum.ts",
      find: "    this.readConfiguration(params, true);\n    this.messages.sendNodeInfo(us.nodeId, false);\n",
      replace:
        "    this.readConfiguration(params, true);\n    if (us.votes !== votes) return;\n    this.messages.sendNodeInfo(us.nodeId, false);\n",
    },
  },
  {
    rule: "quorum that a reload takes or gives is not announced",
    invariant: "quorum-arithmetic",
    long: true,
    reloads: true,
    patch: {
      file: "votequorum/verdict.ts",
      find: "if (changed && !s.syncing) this.hooks.changed();",
      replace: "if (changed && !s.syncing && !quorate) this.hooks.changed();",
    },
  },
];
