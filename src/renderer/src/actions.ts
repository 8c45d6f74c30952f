/** Every action of the page, for the palette: what it is called, which key it has, what it does. Faults included. */
import { SLOW_SPEEDS, SPEEDS, speedName, type LabSnapshot } from "../../main/lab/api.ts";
import { addChoices, cableChoices, idOf, isCut, nodeChoices, switchChoices } from "./acting.ts";
import { choose } from "./choosing.ts";
import type { Page } from "./context.ts";
import { labTools, runTool } from "./tools/tools.ts";
import * as motionText from "./words/motion.ts";
import { openImport } from "./selection.svelte.ts";
import { tasks as taskTexts, tools } from "./words/timeline.ts";
import { card } from "./words/why.ts";
import { themes } from "./prefs.svelte.ts";
import type { IconName } from "./ui/icons.ts";

export interface Action {
  id: string;
  group: string;
  title: string;
  icon: IconName;
  key?: string;
  run(): void;
}

/** What the frame does for an action. */
export interface Frame {
  terminalOf(node: string): void;
  toggle(what: "inspector" | "dock" | "timeline"): void;
  showProblems(): void;
  showJournal(): void;
  showActions(): void;
  nextRegion(back: boolean): void;
}

function timeActions({ lab }: Page, snapshot: LabSnapshot): Action[] {
  const paused = snapshot.time.paused;
  const { onChange, slowSpeed } = snapshot.motion;
  const slow: Action = {
    id: "slow",
    group: "Time",
    title: onChange ? motionText.turnOff : motionText.turnOn(speedName(slowSpeed)),
    icon: "slow",
    key: "S",
    run: () => void lab.slowOnChange(!onChange, slowSpeed),
  };
  return [
    {
      id: "pause",
      group: "Time",
      title: paused ? "Run" : "Pause",
      icon: paused ? "play" : "pause",
      key: "Space",
      run: () => void lab.pauseOrRun(),
    },
    { id: "step", group: "Time", title: motionText.oneEvent, icon: "step", key: ".", run: () => void lab.step("event") },
    { id: "window", group: "Time", title: motionText.oneWindow, icon: "stepWindow", run: () => void lab.step("window") },
    { id: "skip", group: "Time", title: "Skip to the next change", icon: "skip", run: () => void lab.skip() },
    slow,
    ...SLOW_SPEEDS.map(({ speed, name }): Action => ({
      id: `slow to ${name}`,
      group: "Time",
      title: motionText.slowTo(name),
      icon: "clock",
      run: () => void lab.slowOnChange(true, speed),
    })),
    ...SPEEDS.map(({ speed, name }): Action => ({
      id: `speed ${speed}`,
      group: "Time",
      title: `Speed ${name}`,
      icon: "clock",
      run: () => void lab.setSpeed(speed),
    })),
  ];
}

/** Faults of the selection first, then of everything. */
function faultActions(page: Page, snapshot: LabSnapshot): Action[] {
  const { lab } = page;
  const nodes = snapshot.nodes.flatMap((machine) => nodeChoices(snapshot, machine).map((choice) => ({ group: "Machines", choice })));
  const cables = snapshot.cables.flatMap((cable) => cableChoices(snapshot, cable).map((choice) => ({ group: "Cables", choice })));
  const nets = snapshot.networks.flatMap((net) => switchChoices(snapshot, net).map((choice) => ({ group: "Switches", choice })));
  const adds = addChoices.map((choice) => ({ group: "Lab", choice }));
  // A card on a network can be added from either side; it is one line here.
  const all = new Map([...cables, ...nets, ...nodes, ...adds].toReversed().map((one) => [idOf(one.choice), one]));
  const acts = [...all.values()].map(({ group, choice }): Action => ({
    id: idOf(choice),
    group,
    title: choice.title,
    icon: choice.icon,
    ...(choice.key === undefined || group !== "Lab" ? {} : { key: choice.key }),
    run: () => choose(page, choice),
  }));
  const anything = snapshot.faults.length > 0 || snapshot.cables.some(isCut);
  const heal: Action = { id: "heal", group: "Faults", title: "Heal everything", icon: "heal", run: () => void lab.act("heal") };
  const undo: Action[] =
    snapshot.undo === null
      ? []
      : [{ id: "undo", group: "Faults", title: `Undo: ${snapshot.undo}`, icon: "undo", key: "Ctrl+Z", run: () => void lab.undo() }];
  const free: Action[] =
    snapshot.nodes.length < 2
      ? []
      : [{ id: "partition", group: "Faults", title: tools.partition, icon: "cut", run: () => (page.place.tool = { kind: "partition" }) }];
  return [...(anything ? [heal] : []), ...undo, ...free, ...partitions(lab, snapshot), ...acts];
}

/** Each node alone against the rest, and the lab in halves. */
function partitions(lab: Page["lab"], snapshot: LabSnapshot): Action[] {
  const names = snapshot.nodes.map(({ name }) => name);
  if (names.length < 2) return [];
  const half = Math.ceil(names.length / 2);
  const groups = [
    [names.slice(0, half), names.slice(half)],
    ...(names.length > 2 && names.length <= 8 ? names.map((name) => [names.filter((other) => other !== name), [name]]) : []),
  ];
  const seen = new Set<string>();
  return groups.flatMap((parts) => {
    const line = `partition ${parts.map((part) => part.join(",")).join(" ")}`;
    if (seen.has(line)) return [];
    seen.add(line);
    return [
      {
        id: line,
        group: "Faults",
        title: `Partition: ${parts.map((part) => part.join(" ")).join(" | ")}`,
        icon: "cut" as const,
        run: () => void lab.act(line),
      },
    ];
  });
}

function pageActions(page: Page, snapshot: LabSnapshot, frame: Frame): Action[] {
  const { place, prefs } = page;
  return [
    ...snapshot.nodes.map((machine, index): Action => ({
      id: `terminal ${machine.name}`,
      group: "Go to",
      title: `Terminal of ${machine.name}`,
      icon: "term",
      ...(index < 9 ? { key: `Ctrl+${index + 1}` } : {}),
      run: () => frame.terminalOf(machine.name),
    })),
    ...snapshot.nodes.map((machine): Action => ({
      id: `select ${machine.name}`,
      group: "Go to",
      title: `Inspect ${machine.name}`,
      icon: "server",
      run: () => {
        place.view = "topology";
        place.selected = { kind: "node", node: machine.name };
      },
    })),
    { id: "topology", group: "Go to", title: "Topology", icon: "topology", run: () => (place.view = "topology") },
    { id: "whatif", group: "Go to", title: "What-if: what can be lost", icon: "scales", run: () => (place.view = "whatif") },
    { id: "configure", group: "Go to", title: "Configure: corosync.conf", icon: "config", run: () => (place.view = "configure") },
    { id: "journal", group: "Go to", title: "Journal", icon: "list", run: frame.showJournal },
    { id: "actions", group: "Go to", title: taskTexts.tab, icon: "list", run: frame.showActions },
    { id: "problems", group: "Go to", title: "Problems", icon: "warn", run: frame.showProblems },
    {
      id: "export",
      group: "Configuration",
      title: "Export configuration…",
      icon: "exportOut",
      key: "Ctrl+Shift+E",
      run: () => (place.exporting = true),
    },
    {
      id: "import",
      group: "Configuration",
      title: card.load,
      icon: "importIn",
      run: () => openImport(place),
    },
    { id: "build", group: "Lab", title: "Build from nothing …", icon: "plus", run: () => (place.building = true) },
    ...labTools.map(({ tool, title, icon }): Action => ({
      id: `tool ${typeof tool === "string" ? tool : tool.kind}`,
      group: "Lab",
      title,
      icon,
      run: () => runTool(page, snapshot, tool),
    })),
    {
      id: "table",
      group: "Window",
      title: place.table ? "Canvas as a drawing" : "Canvas as a table",
      icon: "list",
      run: () => (place.table = !place.table),
    },
    { id: "inspector", group: "Window", title: "Inspector: show or hide", icon: "panel", run: () => frame.toggle("inspector") },
    { id: "dock", group: "Window", title: "Dock: show or hide", icon: "dock", run: () => frame.toggle("dock") },
    { id: "timeline", group: "Window", title: "Timeline: show or hide", icon: "clock", run: () => frame.toggle("timeline") },
    { id: "region", group: "Window", title: "Next region", icon: "right", key: "F6", run: () => frame.nextRegion(false) },
    ...(["system", ...themes] as const).map((theme): Action => ({
      id: `theme ${theme}`,
      group: "Window",
      title: `Theme: ${theme === "contrast" ? "high contrast" : theme}`,
      icon: "theme",
      run: () => prefs.choose(theme),
    })),
    { id: "help", group: "Window", title: "Keys", icon: "help", key: "?", run: () => (place.help = true) },
  ];
}

/** All of them, in the order of their groups. */
export function actionsOf(page: Page, snapshot: LabSnapshot, frame: Frame): Action[] {
  return [...timeActions(page, snapshot), ...faultActions(page, snapshot), ...pageActions(page, snapshot, frame)];
}
