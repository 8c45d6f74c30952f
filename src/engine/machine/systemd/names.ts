/**
 * Unit names: `corosync.service`, `getty@tty1.service`, `session-1.scope`; their parts, their escapes, and the specifiers (`%n`, `%i` …) that unit files use for them. In the
 * real stack: systemd's unit-name.c and unit-printf.c; systemd.unit(5). Left out: specifiers of users' home directories, of credentials and of the host's hardware.
 */

export const UNIT_TYPES = ["service", "socket", "target", "timer", "mount", "path", "slice", "scope"] as const;
export type UnitType = (typeof UNIT_TYPES)[number];

/** UNIT_NAME_MAX. */
const UNIT_NAME_MAX = 255;

/** `corosync.service` → service; undefined where the name has no type that this manager knows, or characters that no unit's name has. */
export function unitType(name: string): UnitType | undefined {
  const dot = name.lastIndexOf(".");
  if (dot <= 0 || name.length > UNIT_NAME_MAX || !/^[A-Za-z0-9:_.\\@-]+$/.test(name) || name.startsWith("@")) return undefined;
  return UNIT_TYPES.find((type) => type === name.slice(dot + 1));
}

/** The name without its type: `corosync`. */
export function bareName(name: string): string {
  const type = unitType(name);
  return type === undefined ? name : name.slice(0, -type.length - 1);
}

/** How the journal and the lab call a unit: a service without its suffix, every other one by its whole name. */
export function journalUnit(name: string): string {
  return name.endsWith(".service") ? name.slice(0, -".service".length) : name;
}

/** `getty@tty1.service` → prefix `getty`, instance `tty1`; of a template the instance is "", of a plain name undefined. */
export function nameParts(name: string): { readonly prefix: string; readonly instance: string | undefined } {
  const bare = bareName(name);
  const at = bare.indexOf("@");
  return at < 0 ? { prefix: bare, instance: undefined } : { prefix: bare.slice(0, at), instance: bare.slice(at + 1) };
}

/** `getty@tty1.service` → `getty@.service`; undefined where the name is no instance. */
export function templateOf(name: string): string | undefined {
  const { prefix, instance } = nameParts(name);
  if (instance === undefined || instance === "") return undefined;
  return `${prefix}@.${name.slice(name.lastIndexOf(".") + 1)}`;
}

/** `getty@.service`. */
export function isTemplate(name: string): boolean {
  return nameParts(name).instance === "";
}

/** The instance of a template: `getty@.service`, `tty1` → `getty@tty1.service`. */
export function instanceOf(template: string, instance: string): string {
  return template.replace("@.", `@${instance}.`);
}

/** Undoes systemd-escape(1): `-` is `/`, `\x2d` the byte 0x2d. */
export function unescapeName(text: string): string {
  return text.replace(/-/g, "/").replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** What the specifiers of one machine stand for. */
export interface HostFacts {
  readonly hostname: string;
  /** Thirty-two hex digits: /etc/machine-id, and the present boot's. */
  readonly machineId: string;
  readonly bootId: string;
  /** `uname -r`. */
  readonly kernel: string;
}

function specifier(letter: string, name: string, host: HostFacts): string | undefined {
  const { prefix, instance = "" } = nameParts(name);
  switch (letter) {
    case "%":
      return "%";
    case "n":
      return name;
    case "N":
      return bareName(name);
    case "p":
      return prefix;
    case "P":
      return unescapeName(prefix);
    case "j":
      return prefix.slice(prefix.lastIndexOf("-") + 1);
    case "i":
      return instance;
    case "I":
      return unescapeName(instance);
    case "f":
      return `/${unescapeName(instance === "" ? prefix : instance)}`.replace(/^\/+/, "/");
    case "H":
    case "q":
      return host.hostname;
    case "l":
      return host.hostname.split(".")[0];
    case "m":
      return host.machineId;
    case "b":
      return host.bootId;
    case "v":
      return host.kernel;
    default:
      return FIXED[letter];
  }
}

/** Of the system's manager, which runs as root. */
const FIXED: Readonly<Record<string, string>> = {
  a: "x86-64",
  t: "/run",
  S: "/var/lib",
  C: "/var/cache",
  L: "/var/log",
  E: "/etc",
  T: "/tmp",
  V: "/var/tmp",
  u: "root",
  U: "0",
  g: "root",
  G: "0",
  h: "/root",
  s: "/bin/sh",
  o: "debian",
};

/** The text with every specifier replaced; `bad` is one that stands for nothing. A `%` before anything that is no letter stays. */
export function expandSpecifiers(text: string, name: string, host: HostFacts): { readonly text: string; readonly bad?: string } {
  if (!text.includes("%")) return { text };
  let bad: string | undefined;
  const out = text.replace(/%([A-Za-z%])/g, (whole, letter: string) => {
    const value = specifier(letter, name, host);
    if (value === undefined) bad ??= whole;
    return value ?? whole;
  });
  return bad === undefined ? { text: out } : { text: out, bad };
}
