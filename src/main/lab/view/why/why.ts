/**
 * Why a lab is as it is, from its record: for every side without quorum the causes that keep its nodes apart, for everything else that is not as it should be its own cause. Each sentence
 * rests on entries of the record; nothing is said without one. Pure: a world, looked at now or in the past, and what the snapshot has made of it.
 */
import type { MachineStatus } from "../../../../engine/kernel/status.ts";
import type { World } from "../../../../engine/world/world.ts";
import type { Component, Finding, Fix, Problem, Why, WhyClause } from "../../api.ts";
import { forming, nobody, gatherTexts, quorumTitle, resumedText, staleText } from "./card-text.ts";
import { explained, runs, type Explained } from "./explain.ts";
import { daemonOf, resumes, stoppedBy } from "./daemon-acts.ts";
import { machineCauses } from "./machine-causes.ts";
import { meansOf } from "./means.ts";
import { networkCauses } from "./network-causes.ts";
import { noticedOf } from "./noticed.ts";
import { quorumCauses } from "./quorum-causes.ts";
import { recordOf, type RecordedAct } from "./record.ts";
import { answers, downLinks, listed, mainOf, nodeIds, nodeName, statusOf, statusRef, nothing, type Cause, type Scene } from "./scene.ts";

/** What is told of one state of a lab. */
export interface Reasons {
  readonly why: Why[];
  /** One of each cause, and of each side without quorum that has more than one. */
  readonly problems: Problem[];
}

export interface ReasonsOf {
  readonly world: World;
  readonly machines: readonly MachineStatus[];
  readonly components: readonly Component[];
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  readonly mismatches: readonly Problem[];
}

/** A ring whose members do not count alike, as while a vote of the quorum device is under way: each as it counts. */
function sidesOf(side: Component, machines: readonly MachineStatus[]): Component[] {
  const odd = side.nodes.flatMap((name) => {
    const machine = machines.find((one) => one.name === name);
    return machine?.power === "on" && machine.quorum !== null && machine.quorum.quorate !== side.quorate
      ? [{ name, quorum: machine.quorum }]
      : [];
  });
  if (!side.formed || odd.length === 0 || odd.length === side.nodes.length) return [side];
  const own = odd.map(({ name, quorum }): Component => {
    const cells = side.cells.map((cell) => (cell.device ? { ...cell, present: quorum.qdevice?.castVote === true } : cell));
    const { quorate, totalVotes: votes, expectedVotes, quorum: needed } = quorum;
    return { ...side, nodes: [name], quorate, votes, expectedVotes, quorum: needed, cells };
  });
  return [{ ...side, nodes: side.nodes.filter((name) => !odd.some((one) => one.name === name)) }, ...own];
}

export function sceneOf({ world, machines, components, findings, mismatches }: ReasonsOf): Scene {
  const idOf = nodeIds(machines);
  const record = recordOf(world);
  const frozen = machines.filter(
    (machine) => machine.power === "stalled" || stoppedBy({ world, record, idOf }, machine, mainOf(machine)) !== undefined,
  );
  return {
    world,
    now: world.now,
    machines,
    record,
    frozen: new Set(frozen.map(({ name }) => name)),
    components: components.flatMap((side) => sidesOf(side, machines)),
    findings,
    mismatches: mismatches.map((problem) => ({ ...problem, nodes: problem.nodes ?? [] })),
    idOf,
    nameOf: new Map([...idOf].map(([name, id]) => [id, name])),
  };
}

const ORDER = { error: 0, warning: 1, note: 2 };
const CAUSES_TOLD = 4;
const NOTICED_TOLD = 4;
const FIXES_TOLD = 3;

/** What is offered, as far as it can be done: a command where somebody answers. */
const fixesOf = (scene: Scene, { fixes }: Cause): readonly Fix[] => fixes.filter((fix) => "act" in fix || answers(scene, fix.node));

/** Clauses in their order: what was done, what was noticed after it, what it means, what to do. */
function clausesOf(scene: Scene, causes: readonly Cause[], noticed: readonly WhyClause[], means: readonly WhyClause[]): WhyClause[] {
  const told = causes.slice(0, CAUSES_TOLD);
  const since = Math.min(...told.map((cause) => cause.since));
  const own = told.flatMap((cause) => cause.noticed ?? []);
  const heard = [
    ...own,
    ...noticed.filter(({ refs }) => !own.some((one) => one.refs[0]?.what === refs[0]?.what && one.refs[0]?.node === refs[0]?.node)),
  ]
    .filter(({ refs }) => refs.every(({ instant }) => instant >= since))
    .sort((a, b) => (a.refs[0]?.instant ?? 0) - (b.refs[0]?.instant ?? 0));
  const fixes = told.flatMap((cause) =>
    fixesOf(scene, cause).map((fix): WhyClause => ({ role: "do", text: fix.label, refs: [...cause.refs], fix })),
  );
  return [
    ...told.map(({ text, refs }): WhyClause => ({ role: "cause", text: `${text}.`, refs: [...refs] })),
    ...heard.slice(0, NOTICED_TOLD),
    ...told.flatMap((cause) => cause.means ?? []),
    ...means,
    ...told.flatMap(({ mend, refs }): WhyClause[] => (mend === undefined ? [] : [{ role: "do", text: sentence(mend), refs: [...refs] }])),
    ...fixes.filter(({ fix }, i) => fixes.findIndex((one) => JSON.stringify(one.fix) === JSON.stringify(fix)) === i).slice(0, FIXES_TOLD),
  ];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const byRank = (a: Cause, b: Cause): number => a.rank - b.rank || a.since - b.since;
/** When it began, where the record tells that; what is only seen to be so has no beginning. */
const beganAt = ({ refs }: Pick<Cause, "refs">): number | undefined =>
  refs.find(({ kind }) => kind === "act" || kind === "journal")?.instant;
const idOf = (causes: readonly Cause[], nodes: readonly string[]): string =>
  [...causes.map((cause) => `${cause.code}@${beganAt(cause) ?? ""}:${cause.nodes.join(",")}`), nodes.join(",")].join(" ");

/** Names of the machines that are out, or lie behind one of these causes, as the others miss them. */
const lostTo = (causes: readonly Cause[], away: readonly string[]): string[] => [
  ...new Set([...away, ...causes.flatMap((cause) => (cause.out === undefined ? [] : [cause.out]))]),
];

/** One side, or several with the same causes, without quorum. */
function quorumWhy(scene: Scene, { sides, causes, missing }: Explained): Why {
  const nodes = sides.flatMap((side) => side.nodes);
  const quorate = scene.components.filter((side) => side.formed && side.quorate && runs(scene, side));
  const severe = causes.length === 0 || causes.some(({ severity, code }) => severity !== "note" || code === "node-off");
  // Where nobody is quorate the first side tells of all others.
  const away = quorate.length > 0 ? nodes : missing.filter((name) => sides[0]?.nodes.includes(name) !== true);
  const noticed = causes.length === 0 ? [] : noticedOf(scene, lostTo(causes, away), Math.min(...causes.map(({ since }) => since)), sides);
  const means = meansOf(scene, [...sides, ...quorate]);
  const clauses = clausesOf(scene, causes, noticed, means);
  const first = nodes.find((name) => answers(scene, name));
  if (first !== undefined)
    clauses.push({
      role: "do",
      text: "See the votes",
      refs: [statusRef(first, "quorum", scene.now)],
      fix: { label: "See the votes", node: first, command: "pvecm status" },
    });
  return {
    id: idOf(causes, nodes),
    code: "not-quorate",
    severity: severe ? "error" : "note",
    title: quorumTitle(nodes, quorate.length > 0, severe),
    text: [...causes.slice(0, CAUSES_TOLD).map(({ text }) => `${text}.`), means[0]?.text ?? ""].join(" ").trim(),
    // Whoever is out because of it is told of here, too.
    nodes: lostTo(causes, nodes),
    since: causes.length === 0 ? scene.now : Math.max(...causes.map(({ since }) => since)),
    clauses,
  };
}

/** A cause that costs nobody the quorum. */
function causeWhy(scene: Scene, cause: Cause): Why {
  const sides = scene.components.filter(({ formed }) => formed);
  const away = cause.out === undefined ? sides.slice(1).flatMap(({ nodes }) => nodes) : [cause.out];
  // What keeps nobody from anybody is not what a ring broke of.
  const harmless = cause.severity === "note" || (cause.out === undefined && cause.stops === nothing);
  const noticed = harmless ? [] : noticedOf(scene, away, cause.since, []);
  return {
    id: idOf([cause], []),
    code: cause.code,
    severity: cause.severity,
    title: cause.text,
    text: `${cause.text}.`,
    nodes: [...cause.nodes],
    since: cause.since,
    clauses: clausesOf(scene, [cause], noticed, meansOf(scene, sides)),
  };
}

/** Nodes that believe in a ring that others have left: they ran on after they stood still, or have not heard of it yet. */
function staleWhys(scene: Scene): Why[] {
  const formed = scene.components.filter((side) => side.formed && runs(scene, side));
  return formed.flatMap((side): Why[] => {
    const others = formed.filter(
      (other) => other.ringId !== side.ringId && other.nodes.some((name) => side.members.includes(scene.idOf.get(name) ?? -1)),
    );
    const left = others.flatMap(({ nodes }) => nodes);
    if (left.length === 0) return [];
    const daemons = side.nodes.map((name) => {
      const machine = statusOf(scene, name);
      return resumes(daemonOf(scene, name, machine === undefined ? "corosync" : mainOf(machine)));
    });
    const whole = ({ act }: RecordedAct): boolean => act.to === "machine" && side.nodes.includes(act.machine) && act.act.kind === "resume";
    const resumed = scene.record.last((one) => whole(one) || daemons.some((daemon) => daemon(one)));
    const gone = left.flatMap((name) => {
      const notice = scene.record
        .notices(scene.world, name, 0)
        .findLast(({ what, hosts }) => what === "members-left" && side.nodes.some((node) => hosts.includes(scene.idOf.get(node) ?? -1)));
      return notice === undefined ? [] : [{ name, notice }];
    });
    const [told] = gone;
    const believes: WhyClause = {
      role: "means",
      text: staleText(side.nodes, side.ringId, left),
      refs: [...side.nodes, ...left].map((name) => statusRef(name, "corosync.ringId", scene.now)),
    };
    const cause: WhyClause[] =
      resumed === undefined
        ? []
        : [
            {
              role: "cause",
              text: resumedText(resumed.machine ?? "", whole(resumed)),
              refs: [{ kind: "act", node: resumed.machine ?? "", instant: resumed.at, what: resumed.line }],
            },
          ];
    const since = resumed?.at ?? scene.now;
    const noticed: WhyClause[] =
      told === undefined || told.notice.at < since
        ? []
        : [
            {
              role: "noticed",
              text: `${told.name} formed a ring without ${listed(told.notice.hosts.map((id) => nodeName(scene, id)))}.`,
              refs: [{ kind: "journal", node: told.name, instant: told.notice.at, what: told.notice.text }],
            },
          ];
    return [
      {
        id: `stale-ring@${resumed?.at ?? ""}:${side.nodes.join(",")}`,
        code: "stale-ring",
        severity: "note",
        title: `${listed(side.nodes)} still ${side.nodes.length === 1 ? "believes" : "believe"} in ring ${side.ringId}`,
        text: believes.text,
        nodes: [...side.nodes],
        since,
        clauses: [...cause, ...noticed, believes, ...meansOf(scene, [side, ...others], side)],
      },
    ];
  });
}

/** No ring, or not of these nodes: each says once what it would form. */
function gatherWhys(scene: Scene, causes: readonly Cause[]): Why[] {
  const open = scene.components.filter(({ formed, nodes }) => !formed && nodes.some((name) => statusOf(scene, name)?.power === "on"));
  const nodes = open.flatMap((side) => side.nodes);
  if (nodes.length === 0) return [];
  const told = nodes.flatMap((node) => {
    const notice = scene.record
      .notices(scene.world, node, 0)
      .findLast(({ what }) => what === "token-lost" || what === "membership" || what === "members-left");
    return notice === undefined || notice.what !== "token-lost" ? [] : [{ node, notice }];
  });
  const [first] = told.sort((a, b) => a.notice.at - b.notice.at);
  const since = first?.notice.at ?? scene.now;
  const why = causes
    .filter((cause) => cause.code !== "coming-back" && cause.since <= since && cause.severity !== "note")
    .sort(byRank)
    .slice(0, 1);
  const beliefs = gatherTexts(scene, open).map(({ text, of }): WhyClause => ({
    role: "means",
    text,
    refs: of.map((node) => statusRef(node, "corosync.gathering", scene.now)),
  }));
  const noticed: WhyClause[] =
    first === undefined
      ? []
      : [
          {
            role: "noticed",
            text: `${first.node} lost the token, and gathers.`,
            refs: [{ kind: "journal", node: first.node, instant: first.notice.at, what: first.notice.text }],
          },
        ];
  const ringless = !scene.components.some(({ formed }) => formed);
  return [
    {
      id: `gather@${first?.notice.at ?? ""}:${nodes.join(",")}`,
      code: "gather",
      severity: "note",
      title: forming(nodes, ringless),
      text: beliefs.map(({ text }) => text).join(" "),
      nodes,
      since,
      clauses: [...clausesOf(scene, why, [], []).filter(({ role }) => role === "cause"), ...noticed, ...beliefs],
    },
  ];
}

/** How many of the things that a person would see are this cause's doing. */
const countOf = (cause: Cause, found: readonly Explained[], links: ReadonlyMap<Cause, number>): number =>
  Math.max(
    1,
    (links.get(cause) ?? 0) + found.filter(({ causes }) => causes.length === 1 && causes[0] === cause).flatMap(({ sides }) => sides).length,
  );

/** @param folded sides without quorum that have this one cause; @param costs it costs somebody the quorum, alone or with others */
function problemOf(scene: Scene, cause: Cause, folded: readonly Why[], costs: boolean, count: number): Problem {
  const [fix] = [...fixesOf(scene, cause)].sort((a, b) => Number("command" in a) - Number("command" in b));
  const votes = folded.flatMap(({ clauses, nodes }) => {
    const sides = clauses.filter(({ role, refs }) => role === "means" && nodes.includes(refs[0]?.node ?? "") && refs[0]?.what === "quorum");
    return sides.length > 1 ? [nobody(sides.length)] : sides.map(({ text }) => text);
  });
  return {
    severity: costs && cause.severity !== "note" ? "error" : cause.severity,
    code: cause.code,
    text: [`${cause.text}.`, ...votes.slice(0, 1)].join(" ").replace(/\.$/, ""),
    ...(cause.nodes.length === 1 && cause.nodes[0] !== undefined ? { node: cause.nodes[0] } : {}),
    nodes: [...cause.nodes],
    count,
    ...(cause.since < scene.now ? { since: cause.since } : {}),
    ...(fix === undefined ? {} : { fix }),
    ...(cause.mend === undefined ? {} : { mend: cause.mend }),
    ...(cause.line === undefined ? {} : { line: cause.line }),
    ...(cause.column === undefined ? {} : { column: cause.column }),
  };
}

function quorumProblem(why: Why, sides: readonly Component[]): Problem {
  const nodes = sides.flatMap((side) => side.nodes);
  const votes = why.clauses.find(({ role, refs }) => role === "means" && refs[0]?.what === "quorum");
  const fix = why.clauses.find(({ fix: own }) => own !== undefined)?.fix;
  return {
    severity: why.severity,
    code: "not-quorate",
    text: (sides.length > 1 ? nobody(sides.length) : (votes?.text ?? why.text)).replace(/\.$/, ""),
    ...(nodes.length === 1 && nodes[0] !== undefined ? { node: nodes[0] } : {}),
    nodes,
    count: sides.length,
    since: why.since,
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Everything that is told of this state, the most urgent first. */
export function reasonsOf(of: ReasonsOf): Reasons {
  const scene = sceneOf(of);
  const members = new Set([...scene.idOf.keys(), ...of.findings.keys()]);
  const known = [...machineCauses(scene, members), ...networkCauses(scene), ...quorumCauses(scene)];
  const { found, links, causes: explaining } = explained(scene, known, downLinks(scene));
  const causes = [...explaining].sort(byRank);
  const quorumWhys = found.map((one) => ({ one, why: quorumWhy(scene, one) }));
  const told = new Set(found.flatMap((one) => one.causes));
  const stale = staleWhys(scene);
  // Who still believes in a ring that is no more is on its way back: that is one thing.
  const own = causes.filter((cause) => !told.has(cause) && (cause.code !== "coming-back" || stale.length === 0));
  const why = [
    ...quorumWhys.map((each) => each.why),
    ...stale,
    ...gatherWhys(scene, causes),
    ...own.map((cause) => causeWhy(scene, cause)),
  ].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
  const alone = (cause: Cause): Why[] =>
    quorumWhys.filter(({ one }) => one.causes.length === 1 && one.causes[0] === cause).map((each) => each.why);
  const costs = (cause: Cause): boolean =>
    quorumWhys.some(({ one, why: { severity } }) => severity === "error" && one.causes.includes(cause));
  const problems = [
    ...causes
      .filter(({ code }) => code !== "starting")
      .map((cause) => problemOf(scene, cause, alone(cause), costs(cause), countOf(cause, found, links))),
    ...quorumWhys.filter(({ one }) => one.causes.length !== 1).map((each) => quorumProblem(each.why, each.one.sides)),
  ];
  return { why, problems };
}
