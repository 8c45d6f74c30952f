/** Unit files as they are read: syntax, specifiers, templates, drop-ins, masks, and what systemd says of the rest. */
import { describe, expect, it } from "vitest";
import { SEC } from "../../src/engine/kernel/index.ts";
import { nextElapse, parseCalendar } from "../../src/engine/machine/systemd/calendar.ts";
import { UnitLoader } from "../../src/engine/machine/systemd/load.ts";
import { parseExec, parseSpan, splitItems, withEnvironment } from "../../src/engine/machine/systemd/values.ts";
import type { UnitDefinition } from "../../src/engine/machine/systemd/index.ts";
import { EPOCH, TestMachine } from "./systemd-machine.ts";

const SERVICE = "[Service]\nExecStart=/bin/true\n";

/** Loads one unit of a machine with these files; the complaints come with it. */
function load(name: string, files: Readonly<Record<string, string>>): { unit: UnitDefinition; said: string[] } {
  const machine = new TestMachine();
  for (const [path, text] of Object.entries(files)) {
    if (text.startsWith("→ ")) machine.link(path, text.slice(2));
    else machine.write(path, text);
  }
  const said: string[] = [];
  const { files: view, host } = machine.manager.hooks;
  const unit = new UnitLoader(view, host, (_, level, text) => said.push(`${level} ${text}`)).load(name);
  return { unit, said };
}

const etc = (name: string): string => `/etc/systemd/system/${name}`;
const lib = (name: string): string => `/lib/systemd/system/${name}`;

describe("syntax", () => {
  it("joins continued lines over comments, and trims", () => {
    const { unit, said } = load("a.service", {
      [etc("a.service")]: `[Unit]\nDescription =  Foo \\\n  # between\n  ; too\n   bar  \n${SERVICE}`,
    });
    expect(unit.description).toBe("Foo  bar");
    expect(said).toEqual([]);
  });

  it("says what it does not know as systemd does, with file and line, and goes on", () => {
    const text = `Foo=1
[Unit]
Frob=1
NoEquals
ConditionPathExists=relative
After=nosuch:name
[Bogus]
a=1
[X-Mine]
b=2
[Service]
Type=wrong
RemainAfterExit=perhaps
TimeoutStopSec=abc
KillMode=bogus
PrivateTmp=yes
ExecStart=/bin/true
[Install]
Foo=2
`;
    const { unit, said } = load("a.service", { [etc("a.service")]: text });
    const at = (line: number, what: string): string => `warning /etc/systemd/system/a.service:${line}: ${what}`;
    expect(said).toEqual([
      at(1, "Assignment outside of section. Ignoring."),
      at(3, "Unknown key 'Frob' in section [Unit], ignoring."),
      at(4, "Missing '=', ignoring line."),
      at(5, "ConditionPathExists= path is not absolute, ignoring: relative"),
      at(6, "Failed to add dependency on nosuch:name, ignoring: Invalid argument"),
      at(7, "Unknown section 'Bogus'. Ignoring."),
      at(12, "Failed to parse service type, ignoring: wrong"),
      at(13, "Failed to parse boolean value, ignoring: perhaps"),
      at(14, "Failed to parse TimeoutStopSec= parameter, ignoring: abc"),
      at(15, "Failed to parse kill mode specifier, ignoring: bogus"),
      at(19, "Unknown key 'Foo' in section [Install], ignoring."),
    ]);
    expect(unit.loadState).toBe("loaded");
    expect(unit.service?.type).toBe("simple");
  });

  it.each([
    ["[Unit]\n[Service\nExecStart=/bin/true\n", "error", "warning /etc/systemd/system/a.service:2: Invalid section header '[Service'"],
    ["[Service]\nType=oneshot\n", "bad-setting", "error a.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing."],
    [
      "[Service]\nExecStop=/bin/true\n",
      "bad-setting",
      "error a.service: Service has no ExecStart= and no SuccessAction= settings and does not have RemainAfterExit=yes set. Refusing.",
    ],
    [
      "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n",
      "bad-setting",
      "error a.service: Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.",
    ],
    [
      '[Service]\nExecStart=/bin/true "open\n',
      "bad-setting",
      'warning /etc/systemd/system/a.service:2: Unbalanced quoting, ignoring: "/bin/true "open"',
    ],
    [
      "[Service]\nExecStart=/bin/true %Z\n",
      "bad-setting",
      "warning /etc/systemd/system/a.service:2: Failed to resolve unit specifiers in %Z: Invalid slot",
    ],
  ])("%j is %s", (text, state, line) => {
    const { unit, said } = load("a.service", { [etc("a.service")]: text });
    expect(unit.loadState).toBe(state);
    expect(said).toContain(line);
  });
});

describe("values", () => {
  it.each([
    ["5min 20s", 320 * SEC],
    ["90", 90 * SEC],
    ["1.5h", 5400 * SEC],
    ["infinity", Infinity],
    ["5 parsecs", undefined],
  ])("%s", (text, micros) => expect(parseSpan(text)).toBe(micros));

  it("splits items by blanks, keeps quotes and escapes together", () => {
    expect(splitItems(`/bin/echo "a b" 'c d'e f\\x20g \\"`)).toEqual(["/bin/echo", "a b", "c de", "f g", '"']);
    expect(splitItems("'open")).toBeUndefined();
  });

  it("reads prefixes, several commands a line, and puts variables in", () => {
    const commands = parseExec('-/bin/a "x y" ; @/bin/b other $LIST ${ONE} $$x ; :/bin/c $LIST');
    if ("problem" in commands) throw new Error(commands.problem);
    expect(commands.map((c) => [c.path, c.ignoreFailure, c.text])).toEqual([
      ["/bin/a", true, '/bin/a "x y"'],
      ["/bin/b", false, "/bin/b other $LIST ${ONE} $$x"],
      ["/bin/c", false, "/bin/c $LIST"],
    ]);
    const env = new Map([
      ["LIST", "p q"],
      ["ONE", "r s"],
    ]);
    expect(commands.map((c) => withEnvironment(c, env))).toEqual([
      ["/bin/a", "x y"],
      ["other", "p", "q", "r s", "$x"],
      ["/bin/c", "$LIST"],
    ]);
  });

  it.each([
    ["daily", "2026-11-21T00:00:00"],
    ["*:0/15", "2026-11-20T09:45:00"],
    ["Mon..Fri 10:00", "2026-11-20T10:00:00"],
    ["*-*-1,15 04:05:06", "2026-12-01T04:05:06"],
    ["Sat,Sun 20:00", "2026-11-21T20:00:00"],
    ["Mon *-*-* 00:00:00", "2026-11-23T00:00:00"],
    ["*-02-29 12:00", "2028-02-29T12:00:00"],
    ["*-02-30 00:00", undefined],
  ])("the next %s after Friday 2026-11-20 09:35:28 is %s", (text, next) => {
    const calendar = parseCalendar(text);
    if (calendar === undefined) throw new Error(`${text} is no calendar expression`);
    const at = nextElapse(calendar, EPOCH);
    expect(at === undefined ? undefined : new Date(at / 1000).toISOString().slice(0, 19)).toBe(next);
  });

  it.each(["bogus", "25:00", "*-13-01", "", "Mon..Xyz 10:00"])("%j is no calendar expression", (text) =>
    expect(parseCalendar(text)).toBeUndefined(),
  );
});

describe("where units come from", () => {
  it("/etc goes before /run before /usr/lib", () => {
    const files = {
      [lib("a.service")]: `[Unit]\nDescription=lib\n${SERVICE}`,
      "/run/systemd/system/a.service": `[Unit]\nDescription=run\n${SERVICE}`,
    };
    expect(load("a.service", files).unit).toMatchObject({ description: "run", fragment: "/run/systemd/system/a.service" });
    expect(load("a.service", { ...files, [etc("a.service")]: `[Unit]\nDescription=etc\n${SERVICE}` }).unit.description).toBe("etc");
  });

  it("drop-ins come in the order of their names, one of a name counts, lists begin again after an empty value", () => {
    const { unit } = load("a.service", {
      [lib("a.service")]: `[Unit]\nDescription=a\nConditionPathExists=/x\n[Service]\nExecStart=/bin/one\nEnvironment=A=1\nRestart=no\n`,
      [`${lib("a.service.d")}/10-x.conf`]: "[Service]\nRestart=always\n",
      [`${etc("a.service.d")}/10-x.conf`]: "[Service]\nRestart=on-failure\n",
      [`${lib("a.service.d")}/20-y.conf`]: "[Unit]\nConditionPathExists=\n[Service]\nExecStart=\nExecStart=/bin/two\nEnvironment=B=2\n",
      [`${etc("service.d")}/05-all.conf`]: "[Service]\nRestartSec=7\n",
      [`${etc("a.service.d")}/30-z.conf`]: "→ /dev/null",
      [`${lib("a.service.d")}/30-z.conf`]: "[Service]\nRestartSec=99\n",
    });
    expect(unit.service?.restart).toBe("on-failure");
    expect(unit.service?.restartSec).toBe(7 * SEC);
    expect(unit.service?.exec.ExecStart.map((c) => c.path)).toEqual(["/bin/two"]);
    expect(unit.service?.environment).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
    expect(unit.conditions).toEqual([]);
    expect(unit.dropIns).toEqual([`${etc("service.d")}/05-all.conf`, `${etc("a.service.d")}/10-x.conf`, `${lib("a.service.d")}/20-y.conf`]);
  });

  it("an instance is its template with the specifiers put in", () => {
    const { unit } = load("getty@dev-tty1.service", {
      [lib("getty@.service")]: "[Unit]\nDescription=Getty on %I of %H (%p %i %n %N %t)\n[Service]\nExecStart=/sbin/agetty %i\n",
      [`${etc("getty@.service.d")}/a.conf`]: "[Service]\nRestart=always\n",
    });
    expect(unit.description).toBe("Getty on dev/tty1 of pve1 (getty dev-tty1 getty@dev-tty1.service getty@dev-tty1 /run)");
    expect(unit.service?.exec.ExecStart[0]?.argv).toEqual(["/sbin/agetty", "dev-tty1"]);
    expect(unit.service?.restart).toBe("always");
  });

  it("a link to another unit is an alias, one to /dev/null a mask, an empty file too; no file is not found", () => {
    const files = {
      [lib("a.service")]: SERVICE,
      [etc("b.service")]: `→ ${lib("a.service")}`,
      [etc("m.service")]: "→ /dev/null",
      [etc("e.service")]: "",
    };
    expect(load("b.service", files).unit).toMatchObject({ name: "a.service", loadState: "loaded" });
    expect(load("m.service", files).unit.loadState).toBe("masked");
    expect(load("e.service", files).unit.loadState).toBe("masked");
    expect(load("n.service", files).unit.loadState).toBe("not-found");
    expect(load("default.target", {}).unit.name).toBe("multi-user.target");
  });

  it("links in .wants and .requires are dependencies; services have those of their type", () => {
    const { unit } = load("a.service", {
      [lib("a.service")]: SERVICE,
      [`${etc("a.service.wants")}/w.service`]: "→ x",
      [`${etc("a.service.requires")}/r.service`]: "→ x",
    });
    expect(unit.dependencies.Wants).toEqual(["w.service"]);
    expect(unit.dependencies.Requires).toEqual(["r.service", "system.slice", "sysinit.target"]);
    expect(unit.dependencies.After).toEqual(["system.slice", "sysinit.target", "basic.target"]);
    expect(unit.dependencies.Conflicts).toEqual(["shutdown.target"]);
    expect(load("a.service", { [lib("a.service")]: `[Unit]\nDefaultDependencies=no\n${SERVICE}` }).unit.dependencies.Conflicts).toEqual([]);
  });
});
