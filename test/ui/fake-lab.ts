/** A lab that only shows what it is told to: the real web face in front of written snapshots. It records what it is asked. */
import { startWeb, type Web } from "../../src/main/web/server.ts";
import {
  requestMessage,
  type Band,
  type Channel,
  type ConfChange,
  type ConfPlan,
  type ExportWarning,
  type Finding,
  type LabSnapshot,
  type NamedSnapshot,
  type Request,
  type Task,
  type Upcoming,
  type Variation,
  type WhatIfReply,
} from "../../src/main/lab/api.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { variedDesign } from "../../src/main/lab/whatif/whatif-session.ts";
import { answerTask } from "../../src/main/lab/whatif/whatif-task.ts";
import { journal } from "./fixtures.ts";

const conf = `totem {
  version: 2
  cluster_name: lab
  config_version: 3
  # an odd key, so that there is something to find
  tokn: 3000
}

nodelist {
  node {
    name: pve1
    nodeid: 1
    ring0_addr: 10.0.0.11
  }
}

quorum {
  provider: corosync_votequorum
}
`;

const pvecm = [
  "Cluster information",
  "-------------------",
  "Name:             lab",
  "Config Version:   3",
  "Transport:        knet",
  "",
].join("\r\n");

const happenedText = "pve1 → pve2: token seq 15; token passed on to pve3";

/** What comes next in such a lab, as a real one tells it. */
const upcoming = (now: number): Upcoming[] => [
  {
    ...{ at: now + 200, what: "packet", text: "token seq 15", node: "pve3", from: "pve2", net: "net0" },
    packet: {
      ...{ number: 41, totem: true, arrives: true, bytes: 104 },
      fields: [
        { name: "ring_id", text: "1.12" },
        { name: "seq", text: "15" },
        { name: "aru", text: "15" },
        { name: "rtr_list", text: "none" },
      ],
    },
  },
  { at: now + 812_000, what: "timer", text: "token timer", node: "pve3" },
];

const exportWarnings: ExportWarning[] = [
  { code: "placeholder", text: "placeholder addresses: 10.0.0.11 (pve1) are not those of real hosts; replace them first" },
  { code: "version", text: "config_version is 3, lower than the 7 of the file this lab was made from" },
];

/** A change of the token that only pve1 has, with the version as it was. */
const tokenChange: ConfChange = { key: "totem.token", old: null, new: "5000", effect: "live", reason: "the timers are computed anew" };
const nameChange: ConfChange = {
  key: "totem.cluster_name",
  old: "lab",
  new: "other",
  effect: "restart",
  reason: "the daemon keeps the old value",
};
const plan: ConfPlan = {
  files: [
    { nodes: ["pve1"], version: 3, same: true, changes: [] },
    { nodes: ["pve2", "pve3"], version: 3, same: false, changes: [tokenChange, nameChange] },
  ],
  without: [],
  changes: [tokenChange, nameChange],
  pending: [],
  version: { now: 3, next: 3 },
  warnings: [
    "config_version was not raised: it is 3, and there are nodes with 3. Write config_version: 4, so that everybody can tell which file is the newer one.",
  ],
  steps: [
    { what: "reload", text: "Reload on one node.", node: "pve1", command: "corosync-cfgtool -R" },
    {
      what: "restart",
      text: "Restart corosync on one node after the other: pve1, pve2 and pve3.",
      node: "pve1",
      command: "systemctl restart corosync",
    },
  ],
};

/** A true answer, for a new lab of this size. */
function whatIfOf(nodes: number, links: number, qdevice: boolean, variation: Variation | undefined): WhatIfReply {
  const file = { nodes, links, qdevice, clustered: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" };
  const now = worldDesign(defaultLabFile(file));
  const outcome = answerTask({ now, varied: variation === undefined ? undefined : variedDesign(now, variation) });
  if (!outcome.ok) throw new Error(outcome.why);
  return outcome.reply;
}

/** What the page asks for by itself. */
const OF_THE_PAGE: ReadonlySet<string> = new Set<Request["op"]>([
  ...(["hello", "challenge", "prove", "ping", "subscribe", "snapshot", "log", "query", "timeline", "tasks", "upcoming"] as const),
  ...(["act-check", "conf-check", "conf-plan"] as const),
]);

export interface FakeLab {
  readonly url: string;
  /** What the page asked for, in order. */
  readonly asked: Request[];
  /** What the timeline and the task log answer; bands and marks of the snapshot where nothing is set. */
  history: { bands?: Band[]; marks?: LabSnapshot["marks"]; marksFrom?: number; merged?: number; tasks: Task[] };
  /** What the check of a file answers; by the file's text where nothing is set. */
  findings: Finding[] | undefined;
  /** The last act, speed, step, … of a person. Terminals and what the page asks for by itself go beside it, at their own times. */
  lastAsked(): Request | undefined;
  show(snapshot: LabSnapshot): void;
  emit(event: unknown): void;
  /** Its process stands still, and hears later what it is asked meanwhile. */
  stall(on: boolean): void;
  close(): Promise<void>;
}

/** Starts it on loopback (a free port and a new token, unless said otherwise), serving the built page in `staticDir`. */
export async function fakeLab(
  staticDir: string,
  first: LabSnapshot,
  refuse?: (request: Request) => string | undefined,
  where: { port?: number; token?: string } = {},
): Promise<FakeLab> {
  let snapshot = first;
  let findings: Finding[] | undefined;
  const asked: Request[] = [];
  const channels = new Set<Channel>();
  const emit = (event: unknown): void => channels.forEach((channel) => channel.send(event));
  const nodeOfTerminal = new Map<string, string>();
  const typed = new Map<string, string>();
  /** All that a terminal has put out. */
  const written = new Map<string, string>();
  /** Requests that are heard when it answers again; undefined: it answers. */
  let unheard: (() => void)[] | undefined;

  function print(terminal: string, data: string): void {
    written.set(terminal, (written.get(terminal) ?? "") + data);
    emit({ event: "terminal-data", terminal, data });
  }

  /** An echo with a prompt: enough to see that typing arrives and answers are drawn. */
  function type(terminal: string, data: string): void {
    const prompt = `\u001b[1mroot@${nodeOfTerminal.get(terminal) ?? ""}:~#\u001b[0m `;
    const say = (text: string): void => print(terminal, text);
    for (const char of data) {
      if (char === "\u0015") typed.set(terminal, "");
      else if (char !== "\r") {
        typed.set(terminal, (typed.get(terminal) ?? "") + char);
        say(char);
      } else {
        const line = typed.get(terminal) ?? "";
        typed.set(terminal, "");
        say(`\r\n${line === "pvecm status" ? pvecm : `you typed: ${line}`}\r\n${prompt}`);
      }
    }
  }

  const history: FakeLab["history"] = { tasks: [] };
  const kept: NamedSnapshot[] = [{ name: "calm", instant: 120_000_000, digest: "d1" }];

  function answer(request: Request): unknown {
    switch (request.op) {
      case "timeline": {
        const inside = ({ instant }: { instant: number }): boolean => instant >= request.from && instant < request.to;
        return {
          begins: snapshot.history.begins,
          bands: (history.bands ?? snapshot.bands).filter((band) => band.from < request.to && (band.to ?? Infinity) > request.from),
          marks: (history.marks ?? snapshot.marks).filter((mark) => mark.kind === "act" && inside(mark)),
          marksFrom: history.marksFrom ?? null,
          merged: history.merged ?? 0,
        };
      }
      case "tasks":
        return { tasks: history.tasks.filter(({ revision }) => revision > request.since), revision: snapshot.history.tasks, dropped: 0 };
      case "snapshots":
        return { snapshots: kept };
      case "snapshot-save": {
        const made = { name: request.name, instant: snapshot.time.instant, digest: "d2" };
        kept.push(made);
        return made;
      }
      case "rollback":
        return kept.find(({ name }) => name === request.name);
      case "labs":
        return {
          labs: [
            { lab: snapshot.lab.dir, name: "lab", running: true, instant: snapshot.time.instant, nodes: ["pve1", "pve2", "pve3"] },
            { lab: "/home/me/other", name: "production", running: false, instant: 7_000_000, nodes: ["hv1", "hv2"] },
          ],
        };
      case "replay":
        return { digest: "abc", instant: 12_000_000, equal: true, compared: 12, firstDifference: null, recordedBy: "1", engine: "1" };
      case "scenario":
        return {
          passed: false,
          seed: "1",
          instant: 9_000_000,
          digest: "abc",
          steps: [
            { step: 1, instant: 1_000_000, passed: true, expected: "done", got: "done", what: "do: node kill pve2" },
            { step: 2, instant: 9_000_000, passed: false, expected: "1 member", got: "2 members", what: "wait: members 1" },
          ],
          violations: [],
        };
      case "snapshot":
        return snapshot;
      case "log":
        return { lines: journal };
      case "act":
        return { said: request.line };
      case "acts":
        return { said: request.lines.join("; ") };
      case "undo":
        return { said: `undone: ${snapshot.undo ?? "nothing"}` };
      case "step":
        return { ...snapshot.time, happened: { at: snapshot.time.instant, text: happenedText, node: "pve2", from: "pve1", net: "net0" } };
      case "upcoming":
        return { instant: snapshot.time.instant, upcoming: upcoming(snapshot.time.instant) };
      case "skip":
        return { found: true, what: "membership", instant: snapshot.time.instant };
      case "terminal-open": {
        const terminal = `t${nodeOfTerminal.size + 1}`;
        nodeOfTerminal.set(terminal, request.node);
        setTimeout(() => print(terminal, `\u001b[1mroot@${request.node}:~#\u001b[0m `), 5);
        return { terminal };
      }
      case "terminal-attach": {
        const node = nodeOfTerminal.get(request.terminal);
        if (node === undefined) throw new Error("that terminal is no more");
        return { node, text: written.get(request.terminal) ?? "" };
      }
      case "terminal-write":
        type(request.terminal, request.data);
        return {};
      case "conf-check": {
        if (findings !== undefined) {
          const all = findings;
          const count = (severity: string): number => all.filter((one) => one.severity === severity).length;
          return { errors: count("error"), warnings: count("warning"), findings };
        }
        const lines = request.text.split("\n");
        const line = lines.findIndex((one) => one.includes("tokn")) + 1;
        return line === 0
          ? { errors: 0, warnings: 0, findings: [] }
          : {
              errors: 1,
              warnings: 0,
              findings: [
                { severity: "error", code: "unknown-key", line, column: 3, text: "totem has no key tokn", mend: "did you mean token?" },
              ],
            };
      }
      case "act-check":
        return {
          wrong: /^(node|net) (add|rename) .*[^A-Za-z0-9- ]/.test(request.line)
            ? "no host name: letters, digits and hyphens are allowed, at most 63"
            : null,
        };
      case "build":
        return { said: `built from nothing: ${request.nodes} machines` };
      case "whatif": {
        const nodes = snapshot.nodes.filter(({ kind }) => kind === "node").length;
        return whatIfOf(nodes, snapshot.networks.length, nodes < snapshot.nodes.length, request.variation);
      }
      case "conf-plan":
        return plan;
      case "import":
        return { said: `imported ${request.name}: 3 machines` };
      case "export":
        return {
          warnings: exportWarnings,
          files: [
            { path: "corosync.conf", text: conf, mode: 0o644 },
            {
              path: "README.md",
              text: "# Cluster lab\n\n- [ ] pve1, link 0: `10.0.0.11` is the lab's own default\n\n## On Proxmox VE hosts\n",
              mode: 0o644,
            },
          ],
        };
      case "query":
        return { kind: "file", data: Buffer.from(conf).toString("base64") };
      case "file":
        return { error: null };
      case "record":
        return { text: "record\n" };
      default:
        return {};
    }
  }

  function serve(channel: Channel): void {
    channels.add(channel);
    channel.onClose(() => channels.delete(channel));
    channel.onMessage((message) => {
      const hear = (): void => {
        const { id, request } = requestMessage.parse(message);
        if (request.op !== "ping") asked.push(request);
        const no = refuse?.(request);
        const refused = (code: string, why: string): void => channel.send({ id, ok: false, error: { code, message: why } });
        if (no !== undefined) return refused("usage", no);
        try {
          channel.send({ id, ok: true, result: answer(request) });
        } catch (error) {
          refused("failed", error instanceof Error ? error.message : String(error));
        }
      };
      if (unheard === undefined) hear();
      else unheard.push(hear);
    });
  }

  const web: Web = await startWeb({ staticDir, onChannel: serve, ...where });
  return {
    url: web.url,
    asked,
    history,
    get findings() {
      return findings;
    },
    set findings(set) {
      findings = set;
    },
    lastAsked: () => asked.findLast(({ op }) => !op.startsWith("terminal-") && !OF_THE_PAGE.has(op)),
    show: (next) => {
      snapshot = next;
      emit({ event: "snapshot", snapshot: next });
    },
    emit,
    stall: (on) => {
      const late = unheard ?? [];
      unheard = on ? late : undefined;
      if (!on) for (const hear of late) hear();
    },
    close: () => web.close(),
  };
}
