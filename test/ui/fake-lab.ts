/** A lab that only shows what it is told to: the real web face in front of written snapshots. It records what it is asked. */
import { startWeb, type Web } from "../../src/main/web/server.ts";
import {
  requestMessage,
  type Channel,
  type LabSnapshot,
  type Request,
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

/** A true answer, for a new lab of this size. */
function whatIfOf(nodes: number, links: number, qdevice: boolean, variation: Variation | undefined): WhatIfReply {
  const file = { nodes, links, qdevice, clustered: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" };
  const now = worldDesign(defaultLabFile(file));
  const outcome = answerTask({ now, varied: variation === undefined ? undefined : variedDesign(now, variation) });
  if (!outcome.ok) throw new Error(outcome.why);
  return outcome.reply;
}

/** What the page asks for by itself. */
const OF_THE_PAGE: ReadonlySet<string> = new Set<Request["op"]>(["hello", "subscribe", "snapshot", "log", "query"]);

export interface FakeLab {
  readonly url: string;
  /** What the page asked for, in order. */
  readonly asked: Request[];
  /** The last act, speed, step, … of a person. Terminals and what the page asks for by itself go beside it, at their own times. */
  lastAsked(): Request | undefined;
  show(snapshot: LabSnapshot): void;
  emit(event: unknown): void;
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
  const asked: Request[] = [];
  const channels = new Set<Channel>();
  const emit = (event: unknown): void => channels.forEach((channel) => channel.send(event));
  const nodeOfTerminal = new Map<string, string>();
  const typed = new Map<string, string>();

  /** An echo with a prompt: enough to see that typing arrives and answers are drawn. */
  function type(terminal: string, data: string): void {
    const prompt = `\u001b[1mroot@${nodeOfTerminal.get(terminal) ?? ""}:~#\u001b[0m `;
    const say = (text: string): void => emit({ event: "terminal-data", terminal, data: text });
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

  function answer(request: Request): unknown {
    switch (request.op) {
      case "snapshot":
        return snapshot;
      case "log":
        return { lines: journal };
      case "act":
        return { said: request.line };
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
        setTimeout(() => emit({ event: "terminal-data", terminal, data: `\u001b[1mroot@${request.node}:~#\u001b[0m ` }), 5);
        return { terminal };
      }
      case "terminal-write":
        type(request.terminal, request.data);
        return {};
      case "conf-check": {
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
        return { wrong: /[^A-Za-z0-9- ]/.test(request.line) ? "no host name: letters, digits and hyphens are allowed, at most 63" : null };
      case "build":
        return { said: `built from nothing: ${request.nodes} machines` };
      case "whatif": {
        const nodes = snapshot.nodes.filter(({ kind }) => kind === "node").length;
        return whatIfOf(nodes, snapshot.networks.length, nodes < snapshot.nodes.length, request.variation);
      }
      case "export":
        return {
          files: [
            { path: "corosync.conf", text: conf, mode: 0o644 },
            { path: "README", text: "corosync.conf goes to /etc/corosync on every host.\n", mode: 0o644 },
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
      const { id, request } = requestMessage.parse(message);
      asked.push(request);
      const no = refuse?.(request);
      channel.send(no === undefined ? { id, ok: true, result: answer(request) } : { id, ok: false, error: { code: "usage", message: no } });
    });
  }

  const web: Web = await startWeb({ staticDir, onChannel: serve, ...where });
  return {
    url: web.url,
    asked,
    lastAsked: () => asked.findLast(({ op }) => !op.startsWith("terminal-") && !OF_THE_PAGE.has(op)),
    show: (next) => {
      snapshot = next;
      emit({ event: "snapshot", snapshot: next });
    },
    emit,
    close: () => web.close(),
  };
}
