/** What brings nodes back together and takes its time: a cable was healed, a machine or its daemon started, processors went on. Nothing is wrong then; it is not there yet. */
import { statusRef, actRef, listed, noticeRef, mainOf, nothing, statusOf, type Cause, type DownLink, type Scene } from "./scene.ts";
import { daemonOf, reloads, resumes, starts } from "./daemon-acts.ts";
import type { RecordedAct } from "./record.ts";
import type { EntryRef } from "../../api.ts";

const MENDS: ReadonlySet<string> = new Set(["power-on", "reboot", "resume", "service", "nic-up", "session-run", "command"]);

/** Whether this act may have brought one of `nodes` back. */
function mends(one: RecordedAct, nodes: readonly string[], resumed: readonly ((act: RecordedAct) => boolean)[]): boolean {
  const { act, line } = one;
  if (resumed.some((daemon) => daemon(one)) || reloads(one)) return true;
  if (act.to === "lab") return act.act.kind === "machine-add" || act.act.kind === "machine-restore" || act.act.kind === "nic-add";
  if (act.to === "machine") {
    const own = act.act;
    if (!nodes.includes(act.machine) || !MENDS.has(own.kind)) return false;
    if (own.kind === "service") return own.op === "start" || own.op === "restart";
    if (own.kind === "nic-up") return own.up;
    return "argv" in own ? /\b(start|restart)\b|^corosync\b/.test(line) : true;
  }
  const own = act.act;
  switch (own.kind) {
    case "heal":
    case "faults":
      return true;
    case "link-heal":
      return nodes.includes(own.link.node) || (own.link.to !== undefined && nodes.includes(own.link.to));
    case "switch":
      return own.on;
    case "block":
      return !own.on && nodes.includes(own.block.node);
    case "partition":
      // Another one took its place.
      return true;
    default:
      return false;
  }
}

/** "Cable pve3:net0 was healed": what the act did, without a full stop. */
export function mendText({ act, line }: RecordedAct): string {
  if (act.to === "fabric") {
    const own = act.act;
    if (own.kind === "link-heal") {
      const { node, net, to } = own.link;
      if (to !== undefined) return `${node} and ${to} were healed`;
      return net === undefined ? `The cables of ${node} were healed` : `Cable ${node}:${net} was healed`;
    }
    if (own.kind === "heal") return "Every network was healed";
    if (own.kind === "faults") return "A fault was undone";
    if (own.kind === "switch") return `Switch ${own.net} was switched on`;
    if (own.kind === "block") return `${own.block.node} lets ${own.block.port}/${own.block.proto} through again`;
    return "The partition was changed";
  }
  if (act.to === "lab") return `The lab was changed (${line})`;
  if (act.to === "packet") return `A packet was dropped (${line})`;
  const { machine, act: own } = act;
  if (own.kind === "power-on") return `${machine} was powered on`;
  if (own.kind === "reboot") return `${machine} was rebooted`;
  if (own.kind === "resume") return `${machine} was resumed`;
  if (own.kind === "service") return `${own.unit} was ${own.op === "start" ? "started" : "restarted"} on ${machine}`;
  if (own.kind === "service-resume") return `${own.unit} got SIGCONT on ${machine}`;
  if (own.kind === "nic-up") return `The interface of ${machine} on ${own.net} was brought up`;
  return `${line} ran on ${machine}`;
}

/** The last thing that may have brought `nodes` back; undefined where the record knows of none. */
export function restoredCause(scene: Scene, nodes: readonly string[], links: readonly DownLink[]): Cause | undefined {
  const resumed = nodes.map((node) => {
    const machine = statusOf(scene, node);
    return resumes(daemonOf(scene, node, machine === undefined ? "corosync" : mainOf(machine)));
  });
  const act = scene.record.last((one) => mends(one, nodes, resumed));
  const started = nodes
    .flatMap((node) => {
      const machine = statusOf(scene, node);
      if (machine === undefined || machine.power !== "on") return [];
      const notice = scene.record
        .notices(scene.world, node, machine.powerSince)
        .findLast(({ what, unit }) => what === "started" && unit === mainOf(machine));
      return notice === undefined ? [] : [{ node, notice }];
    })
    .reduce<{ node: string; notice: { at: number; text: string } } | undefined>(
      (a, b) => (a === undefined || b.notice.at > a.notice.at ? b : a),
      undefined,
    );
  const refs: EntryRef[] = [];
  let [text, since] = ["", 0];
  // A machine that was powered on, and its daemon that started later: the later one is the nearer reason.
  if (started !== undefined && (act === undefined || started.notice.at > act.at)) {
    const machine = statusOf(scene, started.node);
    text = `${machine === undefined ? "corosync" : mainOf(machine)} has started on ${started.node}`;
    since = started.notice.at;
    const begun = starts(daemonOf(scene, started.node, machine === undefined ? "corosync" : mainOf(machine)));
    const told = scene.record.last((one) => one.at >= (machine?.powerSince ?? 0) && begun(one), since);
    if (told !== undefined) refs.push(actRef(told));
    refs.push({ kind: "journal", node: started.node, instant: started.notice.at, what: started.notice.text });
  } else if (act !== undefined) {
    text = mendText(act);
    since = act.at;
    refs.push(actRef(act));
  } else return undefined;
  const [down] = links;
  const ups = nodes.flatMap((node) => {
    if (statusOf(scene, node) === undefined) return [];
    const notice = scene.record.notices(scene.world, node, since).find(({ what }) => what === "link-up");
    const peer = notice === undefined ? undefined : scene.nameOf.get(notice.hosts[0] ?? 0);
    return notice === undefined || peer === undefined
      ? []
      : [{ role: "noticed" as const, text: `${node} counts link ${notice.number} to ${peer} as up.`, refs: [noticeRef(node, notice)] }];
  });
  return {
    code: "coming-back",
    severity: "note",
    rank: 130,
    nodes,
    since,
    text,
    refs,
    stops: nothing,
    noticed: ups.slice(0, 1),
    means:
      down === undefined
        ? []
        : [
            {
              role: "means",
              text: `${listed([...new Set(links.map(({ from }) => from))])} ${new Set(links.map(({ from }) => from)).size === 1 ? "does" : "do"} not count ${links.length === 1 ? `link ${down.link} to ${down.to}` : `${links.length} links`} as up yet: ${down.from} has ${down.pongs} of ${down.pongsNeeded} pongs from ${down.to}.`,
              refs: [...new Set(links.map(({ from }) => from))].map((from) => statusRef(from, "corosync.links", scene.now)),
            },
          ],
    fixes: down === undefined ? [] : [{ label: "See the links", node: down.from, command: "corosync-cfgtool -n" }],
  };
}
