/** Causes that lie between machines: faults of the network in force, each with the act that made it. */
import type { FabricAct, FaultView, LinkTarget } from "../../../../engine/fabric/index.ts";
import type { EntryRef, Fix } from "../../api.ts";
import { lineOf } from "../../act/table.ts";
import { madeBy } from "./record.ts";
import { actRef, listed, statusRef, type Cause, type Scene } from "./scene.ts";
import { cableText, cutText, pairText, partitionText, portText, settingText } from "./cause-text.ts";

const lineOfAct = (act: FabricAct): string => lineOf({ to: "fabric", act });

const targetOf = ({ node = "", net, to, direction = "both" }: FaultView): LinkTarget => ({
  node,
  direction,
  ...(net === undefined ? {} : { net }),
  ...(to === undefined ? {} : { to }),
});

/** The line that would make this fault. */
export function faultLine(fault: FaultView): string {
  switch (fault.kind) {
    case "cut":
      return lineOfAct({ kind: "link-cut", link: targetOf(fault) });
    case "link-setting": {
      const { delayMs, jitterMs, lossPercent, dupPercent, reorderPercent, rateMbit, mtuBytes } = fault;
      const settings = {
        ...(delayMs === undefined ? {} : { delayUs: delayMs * 1000 }),
        ...(jitterMs === undefined ? {} : { jitterUs: jitterMs * 1000 }),
        ...(lossPercent === undefined ? {} : { lossPercent }),
        ...(dupPercent === undefined ? {} : { dupPercent }),
        ...(reorderPercent === undefined ? {} : { reorderPercent }),
        ...(rateMbit === undefined ? {} : { rateMbit }),
        ...(mtuBytes === undefined ? {} : { mtuBytes }),
      };
      return lineOfAct({ kind: "link-set", link: targetOf(fault), settings });
    }
    case "switch":
      return lineOfAct({ kind: "switch", net: fault.net ?? "", on: false });
    case "partition":
      return lineOfAct({ kind: "partition", groups: fault.groups ?? [] });
    case "block":
      return lineOfAct({ kind: "block", block: { node: fault.node ?? "", port: fault.port ?? 0, proto: fault.proto ?? "udp" }, on: true });
  }
}

/** What a fault rests on: the act that made it, as far back as acts are remembered, and the fault itself. */
function refsOf(scene: Scene, fault: FaultView): EntryRef[] {
  const act = scene.record.last((one) => madeBy(fault, one));
  const itself: EntryRef = {
    kind: "fault",
    ...(fault.node === undefined ? {} : { node: fault.node }),
    instant: act?.at ?? 0,
    what: faultLine(fault),
  };
  return act === undefined ? [itself] : [actRef(act), itself];
}

const sinceOf = (refs: readonly EntryRef[]): number => Math.max(...refs.map(({ instant }) => instant));
const heal = (label: string, act: string): Fix => ({ label, act });
const between = (a: string, b: string, x: string, y: string): boolean => (a === x && b === y) || (a === y && b === x);

/** Cables of one machine that are cut: one cause, however many. */
function cableCauses(scene: Scene, faults: readonly FaultView[]): Cause[] {
  const cut = faults.filter(({ kind, to }) => kind === "cut" && to === undefined);
  const nodes = [...new Set(cut.map(({ node = "" }) => node))];
  return nodes.map((node): Cause => {
    const own = cut.filter((fault) => fault.node === node);
    const refs = own.flatMap((fault) => refsOf(scene, fault));
    const nets = [...new Set(own.map(({ net = "" }) => net))];
    const all = scene.machines.find(({ name }) => name === node)?.nics.length === nets.length;
    return {
      code: "cable-cut",
      severity: "warning",
      rank: 70,
      nodes: [node],
      since: sinceOf(refs),
      text: cutText(
        node,
        own.map(({ net = "", direction = "both" }) => ({ net, direction })),
      ),
      refs,
      stops: (a, b, net) => (a === node || b === node) && nets.includes(net),
      fixes: all
        ? [heal(nets.length === 1 ? "Heal the cable" : "Heal its cables", `link heal ${node}`)]
        : nets.map((net) => heal("Heal the cable", `link heal ${node}:${net}`)),
    };
  });
}

/** Pairs told one by one; more are told together. */
const PAIRS_TOLD = 3;

function pairCauses(scene: Scene, faults: readonly FaultView[]): Cause[] {
  const cut = faults.filter(({ kind, to }) => kind === "cut" && to !== undefined);
  const cause = (own: readonly FaultView[]): Cause => {
    const refs = own.flatMap((fault) => refsOf(scene, fault));
    return {
      code: "pair-cut",
      severity: "warning",
      rank: 80,
      nodes: [...new Set(own.flatMap(({ node = "", to = "" }) => [node, to]))],
      since: sinceOf(refs),
      text: pairText(own.map(({ node = "", to = "", net = "", direction = "both" }) => ({ node, to, net, direction }))),
      refs,
      stops: (a, b, net) => own.some((fault) => fault.net === net && between(a, b, fault.node ?? "", fault.to ?? "")),
      fixes:
        own.length === 1
          ? own.map(({ node = "", net = "", to = "" }) => heal("Heal the pair", `link heal ${node}:${net} --to ${to}`))
          : [heal("Heal every network", "heal")],
    };
  };
  if (cut.length === 0) return [];
  return cut.length <= PAIRS_TOLD ? cut.map((fault) => cause([fault])) : [cause(cut)];
}

function settingCauses(scene: Scene, faults: readonly FaultView[]): Cause[] {
  return faults
    .filter(({ kind }) => kind === "link-setting")
    .map((fault): Cause => {
      const { node = "", net = "", to } = fault;
      const refs = refsOf(scene, fault);
      return {
        code: "link-setting",
        severity: "warning",
        rank: 100,
        nodes: to === undefined ? [node] : [node, to],
        since: sinceOf(refs),
        text: settingText(to === undefined ? cableText(node, net) : `${node} to ${to} on ${net}`, fault),
        refs,
        stops: (a, b, on) => on === net && (to === undefined ? a === node || b === node : between(a, b, node, to)),
        fixes: [heal("Reset it", `link heal ${node}:${net}${to === undefined ? "" : ` --to ${to}`}`)],
      };
    });
}

function wholeCauses(scene: Scene, faults: readonly FaultView[]): Cause[] {
  return faults.flatMap((fault): Cause[] => {
    const refs = refsOf(scene, fault);
    const since = sinceOf(refs);
    if (fault.kind === "switch") {
      const net = fault.net ?? "";
      const on = scene.machines.filter(({ nics }) => nics.some((nic) => nic.net === net)).map(({ name }) => name);
      const stops = (_a: string, _b: string, other: string): boolean => other === net;
      const fixes = [heal("Switch it on", `switch on ${net}`)];
      return [{ code: "switch-off", severity: "warning", rank: 60, nodes: on, since, text: `Switch ${net} is off`, refs, stops, fixes }];
    }
    if (fault.kind === "partition") {
      const groups = fault.groups ?? [];
      const groupOf = (name: string): number => groups.findIndex((group) => group.includes(name));
      const stops = (a: string, b: string): boolean => groupOf(a) >= 0 && groupOf(b) >= 0 && groupOf(a) !== groupOf(b);
      const fixes = [heal("Heal every network", "heal")];
      const text = partitionText(groups);
      return [{ code: "partition", severity: "warning", rank: 60, nodes: groups.flat(), since, text, refs, stops, fixes }];
    }
    if (fault.kind !== "block") return [];
    const { node = "", port = 0, proto = "udp" } = fault;
    const stops = (a: string, b: string): boolean => a === node || b === node;
    const fixes = [heal("Unblock it", `unblock ${node} ${port}/${proto}`)];
    return [
      { code: "port-blocked", severity: "warning", rank: 90, nodes: [node], since, text: portText(node, port, proto), refs, stops, fixes },
    ];
  });
}

/** Cards that somebody took down. */
function cardCauses(scene: Scene): Cause[] {
  return scene.machines.flatMap(({ name, power, nics }) =>
    nics.flatMap((nic): Cause[] => {
      if (nic.up || power === "off") return [];
      const act = scene.record.last(
        ({ act: one }) =>
          one.to === "machine" && one.machine === name && one.act.kind === "nic-up" && one.act.net === nic.net && !one.act.up,
      );
      const refs = [...(act === undefined ? [] : [actRef(act)]), statusRef(name, "nics", scene.now)];
      return [
        {
          code: "interface-down",
          severity: "warning",
          rank: 80,
          nodes: [name],
          since: act?.at ?? scene.now,
          text: `Interface ${nic.name} of ${name} on ${nic.net} is down`,
          refs,
          stops: (a, b, net) => (a === name || b === name) && net === nic.net,
          fixes: [heal("Bring it up", `nic up ${name} ${nic.net}`)],
        },
      ];
    }),
  );
}

/** Networks on which cables differ in the largest packet they take: nobody is told of what is dropped. */
function mtuCauses(scene: Scene): Cause[] {
  return scene.world.design.networks.flatMap(({ name: net }): Cause[] => {
    const own = scene.machines.filter(({ nics }) => nics.some((nic) => nic.net === net));
    const mtus = own.map(({ name }) => ({ name, mtu: scene.world.fabric.cable(name, net).mtuBytes }));
    if (new Set(mtus.map(({ mtu }) => mtu)).size < 2) return [];
    const text = `The MTU differs on ${net}: ${listed(mtus.map(({ name, mtu }) => `${name} ${mtu}`))}`;
    const refs = own.slice(0, 1).map(({ name }) => statusRef(name, "nics", scene.now));
    return [
      {
        code: "mtu-mismatch",
        severity: "warning",
        rank: 105,
        nodes: own.map(({ name }) => name),
        since: scene.now,
        text,
        refs,
        stops: () => false,
        fixes: [],
      },
    ];
  });
}

export function networkCauses(scene: Scene): Cause[] {
  const faults = scene.world.fabric.list();
  return [
    ...wholeCauses(scene, faults),
    ...cableCauses(scene, faults),
    ...pairCauses(scene, faults),
    ...settingCauses(scene, faults),
    ...cardCauses(scene),
    ...mtuCauses(scene),
  ];
}
