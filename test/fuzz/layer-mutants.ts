/** Layers with one rule broken, and the check that must complain of it. */
import type { Patch } from "./bundle.ts";

export interface LayerMutant {
  readonly layer: "knet" | "cpg" | "cmap" | "fabric" | "machine" | "host";
  /** What is broken. */
  readonly rule: string;
  /** A name of layer-checks.ts. */
  readonly caughtBy: string;
  readonly patch: Patch;
}

export const layerMutants: readonly LayerMutant[] = [
  {
    layer: "knet",
    rule: "the first pong brings a link up",
    caughtBy: "transcript knet/up-and-down",
    patch: { file: "knet/link.ts", find: "if (l.receivedPong < p.pongCount) {", replace: "if (l.receivedPong < p.pongCount - 2) {" },
  },
  {
    layer: "knet",
    rule: "the back-off of a link that has just come up does not count",
    caughtBy: "transcript knet/up-and-down",
    patch: { file: "knet/link.ts", find: "p.pingTimeoutMs * 1000 * l.backoff + 2", replace: "p.pingTimeoutMs * 1000 + 2" },
  },
  {
    layer: "knet",
    rule: "the first link that is up carries data, whatever the priorities",
    caughtBy: "transcript knet/priorities",
    patch: {
      file: "knet/choice.ts",
      find: "if (best === undefined || priority(h, link.link) > priority(h, best.link)) best = link;",
      replace: "best ??= link;",
    },
  },
  {
    layer: "knet",
    rule: "packets under another key are dropped without a word",
    caughtBy: "transcript knet/wrong-key",
    patch: {
      file: "knet/rx.ts",
      find: 'if (packet?.type === "foreign") {',
      replace: 'if (packet?.type === "foreign" && packet.size === 0) {',
    },
  },
  {
    layer: "cpg",
    rule: "who dies is told of as one who left",
    caughtBy: "transcript cpg/join-and-say",
    patch: {
      file: "cpg/cpg.ts",
      find: "encodeProc(p.group, pid, REASON_NUMBER.procdown)",
      replace: "encodeProc(p.group, pid, REASON_NUMBER.leave)",
    },
  },
  {
    layer: "cpg",
    rule: "a process may speak during a sync",
    caughtBy: "transcript cpg/refused",
    patch: {
      file: "cpg/cpg.ts",
      find: 'if (process.phase === "joining" || this.state.syncing || !',
      replace: 'if (process.phase === "joining" || !',
    },
  },
  {
    layer: "cpg",
    rule: "the processes of a lost node stay in their groups",
    caughtBy: "transcript cpg/split-and-merge",
    patch: { file: "cpg/cpg.ts", find: "    this.dropLost(s.downList);\n", replace: "" },
  },
  {
    layer: "cmap",
    rule: "who has left is still said to be joined",
    caughtBy: "cmap: keys of members",
    patch: { file: "cmap/service.ts", find: '.status`, "str", "left");', replace: '.status`, "str", "joined");' },
  },
  {
    layer: "cmap",
    rule: "keys are listed as they came",
    caughtBy: "cmap: what clients may do",
    patch: { file: "cmap/map.ts", find: "return out.sort(byKey);", replace: "return out;" },
  },
  {
    layer: "cmap",
    rule: "clients may write everything",
    caughtBy: "cmap: what clients may do",
    patch: { file: "cmap/map.ts", find: "PROTECTED_PREFIXES.some((p) => key.startsWith(p));", replace: 'key === "";' },
  },
  {
    layer: "fabric",
    rule: "a cable that is cut one way is cut both ways",
    caughtBy: "fabric: one direction",
    patch: { file: "fabric/path.ts", find: 'c.direction === "in" && c.node === b', replace: "c.node === b" },
  },
  {
    layer: "fabric",
    rule: "packets of any size pass",
    caughtBy: "fabric: sizes",
    patch: { file: "fabric/fabric.ts", find: "packetBytes(datagram) > path.mtuBytes || ", replace: "" },
  },
  {
    layer: "fabric",
    rule: "a packet that is under way arrives through a cut",
    caughtBy: "fabric: a cut stops what is under way",
    patch: { file: "fabric/fabric.ts", find: "return path.open && !isBlocked", replace: "return !isBlocked" },
  },
  {
    layer: "machine",
    rule: "a closed port says nothing",
    caughtBy: "machine: a closed port",
    patch: { file: "machine/tcp/tcp.ts", find: "    this.emit(d.net, d.dst, d.dstPort, d.src, d.srcPort, bytes);\n", replace: "" },
  },
  {
    layer: "machine",
    rule: "a lost segment never comes again",
    caughtBy: "machine: a lost segment",
    patch: { file: "machine/tcp/tcp.ts", find: "    this.transmit(c, first);\n    this.arm(c);\n", replace: "    this.arm(c);\n" },
  },
  {
    layer: "host",
    rule: "after a pause the time that passed is caught up",
    caughtBy: "host: pace",
    patch: { file: "host/pace.ts", find: "    this.wall = this.clock.now();\n    this.at = at;\n", replace: "    this.at = at;\n" },
  },
  {
    layer: "host",
    rule: "speed is not heeded",
    caughtBy: "host: pace",
    patch: {
      file: "host/pace.ts",
      find: "(this.clock.now() - this.wall) * 1000 * speed);",
      replace: "(this.clock.now() - this.wall) * 1000);",
    },
  },
  {
    layer: "host",
    rule: "a difference is looked for in the later half alone",
    caughtBy: "host: the first difference",
    patch: { file: "host/verifier.ts", find: "    else high = middle;\n", replace: "    else low = middle + 1;\n" },
  },
  {
    layer: "host",
    rule: "effects are not in a worker's digest",
    caughtBy: "host: the first difference",
    patch: {
      file: "host/event-log.ts",
      find: "    mixEffect(this.hash, effect);\n",
      replace: '    if (effect.kind === "journal") mixEffect(this.hash, effect);\n',
    },
  },
];
