/**
 * Why a lab is as it is, state by state: each page of why-states.txt is one, what led to it and, after `----`, what is told of it. Every entry of the record that a clause names is looked
 * up. `QUORATE_REWRITE=1` writes the pages anew, for a person to read the difference.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { fromUtf8 } from "../../src/engine/kernel/index.ts";
import { Person, snapshotOf, type Shape } from "./reasons.ts";
import { signalSent } from "../../src/main/lab/view/why/signals.ts";
import { wrongWithReasons } from "./why-check.ts";

const FILE = new URL("./why-states.txt", import.meta.url);
const text = readFileSync(FILE, "utf8");
const pages = text
  .split(/^== /m)
  .slice(1)
  .map((page) => {
    const [head = "", args = ""] = page.split(/^----\n/m);
    const [title = "", ...steps] = head.split("\n").filter((line) => line !== "");
    return { title, steps, args: args.trimEnd() };
  });
const told = new Map<string, string>();

/** "3 nodes, 2 links, qdevice, wait_for_all 1" */
function shapeOf(line: string): Shape {
  const number = (pattern: RegExp): number | undefined => (pattern.exec(line) === null ? undefined : Number(pattern.exec(line)?.[1]));
  const option = /(wait_for_all|two_node|auto_tie_breaker) (\d)/.exec(line);
  return {
    nodes: number(/(\d+) nodes/) ?? 3,
    links: number(/(\d+) links/) ?? 1,
    qdevice: line.includes("qdevice"),
    ...(option === null ? {} : { quorum: { [option[1] ?? ""]: Number(option[2]) } }),
  };
}

async function carryOut(person: Person, step: string): Promise<void> {
  const [verb = "", ...args] = step.split(" ");
  const rest = args.join(" ");
  const { world } = person;
  if (verb === "act") person.act(rest);
  else if (verb === "wait") person.wait(Number(rest.replace("s", "")));
  else if (verb === "until") {
    const [node = "", state] = args;
    person.until(() =>
      state === "off"
        ? world.status(node).power === "off"
        : state === "booting"
          ? world.status(node).booting
          : world.status(node).corosync?.state === state,
    );
  } else if (verb === "break") {
    const [node = "", from = "", to = ""] = args.map((word) => word.replace("␣", " "));
    const reply = world.query(node, { kind: "file-read", path: "/etc/corosync/corosync.conf" });
    if (reply.kind !== "file" || !fromUtf8(reply.data).includes(from)) throw new Error(step);
    person.write(node, "/etc/corosync/corosync.conf", fromUtf8(reply.data).replace(from, to));
  } else if (verb.endsWith("$")) await person.type(verb.slice(0, -1), rest);
  else throw new Error(`no such step: ${step}`);
}

describe("what is told of a state", () => {
  test.each(pages)("$title", async ({ title, steps: [shape = "", ...steps], args }) => {
    const person = Person.of(shapeOf(shape));
    for (const step of steps) await carryOut(person, step);
    told.set(title, person.tell());
    if (process.env["QUORATE_REWRITE"] !== "1") expect(told.get(title)).toBe(args);
    expect(wrongWithReasons(person.world, snapshotOf(person.world))).toEqual([]);
  });

  test("there are twenty and more", () => expect(pages.length).toBeGreaterThanOrEqual(20));
});

describe("a signal that was typed", () => {
  const sent = (line: string): string => {
    const read = signalSent({ kind: "command", id: "1", argv: line.split(" "), cwd: "/", stdin: "" });
    return read === undefined ? "none" : `${read.signal} ${read.hits("corosync", new Set([717]))}`;
  };
  test.each([
    ["kill 717", "SIGTERM true"],
    ["/usr/bin/kill -STOP 717", "SIGSTOP true"],
    ["kill -s stop -717", "SIGSTOP true"],
    ["kill -19 12 717", "SIGSTOP true"],
    ["kill --signal=CONT 717", "SIGCONT true"],
    ["kill -9 71", "SIGKILL false"],
    ["killall -SIGSTOP corosync", "SIGSTOP true"],
    ["killall --signal 18 -u root corosync", "SIGCONT true"],
    ["killall corosync-qdevice", "SIGTERM false"],
    ["pkill coro", "SIGTERM true"],
    ["pkill --signal STOP -x corosync", "SIGSTOP true"],
    ["pkill -s 0 ^sync$", "SIGTERM false"],
    ["systemctl kill corosync.service", "SIGTERM true"],
    ["systemctl kill --signal=SIGSTOP --kill-whom=main corosync", "SIGSTOP true"],
    ["systemctl -s 9 kill ssh", "SIGKILL false"],
    ["systemctl restart corosync", "none"],
    ["sleep 717", "none"],
  ])("%s", (line, read) => expect(sent(line)).toBe(read));
});

describe("nothing that the record does not bear", () => {
  test("an entry that is not there is found, and one at another instant, on another node", () => {
    const person = Person.of({ nodes: 3 });
    person.act("link cut pve3:net0");
    person.wait(10);
    const wrong = (change: (ref: { instant: number; node?: string | undefined; what: string }) => void, kind: string): string[] => {
      const snapshot = structuredClone(snapshotOf(person.world));
      const ref = snapshot.why.flatMap(({ clauses }) => clauses.flatMap(({ refs }) => refs)).find((one) => one.kind === kind);
      if (ref === undefined) throw new Error(`no ${kind}`);
      change(ref);
      return wrongWithReasons(person.world, snapshot);
    };
    expect(wrong(() => undefined, "act")).toEqual([]);
    for (const kind of ["act", "journal"]) {
      expect(wrong((ref) => (ref.what = "another"), kind)).not.toEqual([]);
      expect(wrong((ref) => (ref.instant -= 1), kind)).not.toEqual([]);
    }
    expect(wrong((ref) => (ref.node = "pve3"), "journal")).not.toEqual([]);
    expect(wrong((ref) => (ref.what = "units.pmxcfs"), "status")).not.toEqual([]);
    expect(wrong((ref) => (ref.what = "link cut pve1:net0"), "fault")).not.toEqual([]);
  });
});

describe("problems are grouped by cause", () => {
  test("one cut cable of sixteen nodes is one", () => {
    const person = Person.of({ nodes: 16 });
    person.act("link cut pve16:net0");
    person.wait(20);
    const { problems } = snapshotOf(person.world);
    const found = problems.filter(({ severity }) => severity !== "note");
    expect(found.map(({ severity, code, count }) => [severity, code, count])).toEqual([["error", "cable-cut", 31]]);
  });

  test("a partition of thirty-two is one", () => {
    const person = Person.of({ nodes: 32 });
    const names = person.world.names;
    person.act(`partition ${names.slice(0, 16).join(",")} ${names.slice(16).join(",")}`);
    person.wait(30);
    const { problems, why } = snapshotOf(person.world);
    const found = problems.filter(({ severity }) => severity !== "note");
    expect(found.map(({ severity, code }) => [severity, code])).toEqual([["error", "partition"]]);
    expect(found[0]?.count).toBe(16 * 16 * 2 + 2);
    expect(why.map(({ title }) => title)).toEqual(["Why is nobody quorate?"]);
  });
});

afterAll(() => {
  if (process.env["QUORATE_REWRITE"] !== "1") return;
  const written = pages.map(({ title, steps, args }) => `== ${title}\n${steps.join("\n")}\n----\n${told.get(title) ?? args}\n`);
  writeFileSync(FILE, `${text.slice(0, text.indexOf("== "))}${written.join("\n")}`);
});
