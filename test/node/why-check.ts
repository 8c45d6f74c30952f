/** Whether what is told of a world is in its record: every entry that a clause names exists, on that node, in that order; what is offered can be done; and nothing is said of what no node has. */
import type { MachineStatus } from "../../src/engine/kernel/index.ts";
import type { World } from "../../src/engine/world/index.ts";
import { wrongWith } from "../../src/main/lab/act/table.ts";
import type { EntryRef, Fix, LabSnapshot, Why } from "../../src/main/lab/api.ts";
import { faultLine } from "../../src/main/lab/view/why/network-causes.ts";
import { actLine } from "../../src/main/lab/view/why/record.ts";

/** No machine of this lab has any of these. */
const NOT_THERE = /\/etc\/pve|\bpmxcfs\b|cluster file system|\bguests?\b|\bVMs?\b|\bHA\b|\bfenc|\bwatchdog\b|\bCRM\b|\bLRM\b/i;

/** The value at a path into a status: "units.corosync". */
function valueAt(status: MachineStatus, path: string): unknown {
  let value: unknown = status;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !(key in value)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** What is not so about an entry; undefined where all is. */
function wrongRef(world: World, { kind, node, instant, what }: EntryRef): string | undefined {
  if (instant > world.now || instant < 0) return `${kind} ${what} at ${instant}, which is not yet`;
  if (node !== undefined && !world.has(node)) return `${kind} ${what}: no machine ${node}`;
  switch (kind) {
    case "act":
      return world
        .inputs()
        .some(
          (i) => i.at === instant && actLine(i.act) === what && (node === undefined || (i.act.to === "machine" && i.act.machine === node)),
        )
        ? undefined
        : `no act ${what} at ${instant} ${node ?? ""}`;
    case "journal":
      if (node === undefined) return `a line of nobody's journal: ${what}`;
      return world
        .named(node)
        .journalSince(0)
        .some((line) => line.instant === instant && line.text === what)
        ? undefined
        : `no line at ${instant} on ${node}: ${what}`;
    case "fault":
      return world.fabric.list().some((fault) => faultLine(fault) === what) ? undefined : `no fault in force: ${what}`;
    case "status": {
      if (node === undefined) return `a status of nobody: ${what}`;
      if (what.startsWith("/"))
        return world.query(node, { kind: "file-stat", path: what }).kind === "stat" ? undefined : `${node} has no ${what}`;
      return [undefined, null].includes(valueAt(world.status(node), what) as null) ? `${node} has no ${what}` : undefined;
    }
  }
}

function wrongFix(world: World, fix: Fix): string | undefined {
  if ("act" in fix) {
    const wrong = wrongWith(fix.act, world);
    return wrong === null ? undefined : `${fix.act}: ${wrong}`;
  }
  if (world.status(fix.node).power !== "on" || world.status(fix.node).booting)
    return `${fix.command} on ${fix.node}, where nobody can type`;
  const [name = ""] = fix.command.split(" ");
  const { kind } = world.query(fix.node, { kind: "command", argv: fix.command.split(" "), cwd: "/root", stdin: "" });
  return kind === "no-such-command" ? `${fix.node} has no ${name}` : undefined;
}

/** "2 of 3 votes … needs 2: not quorate", against what the node itself counts. */
function wrongVotes(world: World, text: string, ref: EntryRef): string | undefined {
  const found = /(?:has|have|still counts?) (\d+) of (\d+) votes?.* needs? (\d+): (not )?quorate\.$/.exec(text);
  if (found === null || ref.node === undefined) return undefined;
  const { quorum } = world.status(ref.node);
  const said = [Number(found[1]), Number(found[2]), Number(found[3]), found[4] === undefined];
  const is = quorum && [quorum.totalVotes, quorum.expectedVotes, quorum.quorum, quorum.quorate];
  return JSON.stringify(said) === JSON.stringify(is) ? undefined : `${text} But ${ref.node} counts ${JSON.stringify(is)}`;
}

function wrongWhy(world: World, why: Why): string[] {
  const out: (string | undefined)[] = [];
  const { clauses, title, text, since } = why;
  if (since > world.now) out.push(`since ${since}`);
  for (const clause of clauses) {
    if (clause.refs.length === 0) out.push(`without an entry: ${clause.text}`);
    for (const ref of clause.refs) out.push(wrongRef(world, ref));
    if (clause.fix !== undefined) out.push(wrongFix(world, clause.fix));
    const [first] = clause.refs;
    if (clause.role === "means" && first !== undefined) out.push(wrongVotes(world, clause.text, first));
  }
  const noticed = clauses.filter(({ role }) => role === "noticed").flatMap(({ refs }) => refs.map(({ instant }) => instant));
  // Of a cause its first entry is the act, or the line, that it began with; of what is only seen to be so, since when.
  const began = Math.min(...clauses.filter(({ role }) => role === "cause").map(({ refs }) => refs[0]?.instant ?? 0));
  if (began !== Number.POSITIVE_INFINITY && noticed.some((instant) => instant < began)) out.push("noticed before its cause");
  if (noticed.some((instant, i) => instant < (noticed[i - 1] ?? 0))) out.push("noticed out of order");
  for (const said of [title, text, ...clauses.flatMap((clause) => [clause.text, clause.fix?.label ?? ""])])
    if (NOT_THERE.test(said)) out.push(`of what is not there: ${said}`);
  const order = ["cause", "noticed", "means", "do"];
  if (clauses.some(({ role }, i) => order.indexOf(role) < order.indexOf(clauses[i - 1]?.role ?? "cause"))) out.push("clauses out of order");
  return out.filter((one) => one !== undefined).map((one) => `${title}: ${one}`);
}

/** A side without quorum of which nothing is told; a lab that is whole, and something is told of it. */
function wrongAmount(world: World, { why, components, faults }: LabSnapshot): string[] {
  const out: string[] = [];
  const statuses = world.statuses();
  for (const { name, power, corosync, quorum } of statuses)
    if (power === "on" && corosync?.state === "operational" && quorum?.quorate === false && !why.some(({ nodes }) => nodes.includes(name)))
      out.push(`${name} is not quorate, and nothing says why`);
  for (const { name, power } of statuses)
    if (power !== "on" && !why.some(({ nodes }) => nodes.includes(name))) out.push(`${name} is ${power}, and nothing says why`);
  const whole =
    faults.length === 0 &&
    components.length === 1 &&
    statuses.every(
      ({ power, booting, corosync, quorum, nics, kind, units }) =>
        power === "on" &&
        !booting &&
        nics.every(({ up }) => up) &&
        // One that is starting or stopping is told of.
        Object.values(units).every((state) => !["failed", "activating", "deactivating"].includes(state)) &&
        (kind === "qnetd" ||
          (quorum?.quorate === true &&
            corosync !== null &&
            corosync.links.every((link) => link.connected || link.to === corosync.nodeId))) &&
        (quorum?.qdevice?.castVote ?? true) &&
        corosync?.members.length === corosync?.nodelist.length,
    );
  const told = why.filter(({ code }) => !code.startsWith("mismatch-") && code !== "service-stalled");
  if (whole && told.length > 0) out.push(`all is well, and yet: ${told.map(({ title }) => title).join("; ")}`);
  return out;
}

/** Everything that is not so about what is told, one line each. */
export function wrongWithReasons(world: World, snapshot: LabSnapshot): string[] {
  const problems = snapshot.problems.flatMap(({ text, nodes = [], since = 0, count = 1, fix }) => [
    ...nodes.filter((node) => !world.has(node)).map((node) => `${text}: no machine ${node}`),
    ...(since > world.now || count < 1 ? [`${text}: since ${since}, ×${count}`] : []),
    ...(fix === undefined ? [] : [wrongFix(world, fix)].filter((one) => one !== undefined)),
    ...(NOT_THERE.test(text) ? [`of what is not there: ${text}`] : []),
  ]);
  return [...snapshot.why.flatMap((why) => wrongWhy(world, why)), ...wrongAmount(world, snapshot), ...problems];
}
