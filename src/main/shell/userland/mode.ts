/** Modes of files: as ls shows them, and as chmod and mkdir -m are told them. */
import type { FileStat } from "../files.ts";

const KINDS: Readonly<Record<FileStat["type"], string>> = { file: "-", directory: "d", symlink: "l", socket: "s", fifo: "p" };

/** `drwxr-xr-x` */
export function modeText(stat: FileStat): string {
  const { mode, type } = stat;
  const symbols = [..."rwxrwxrwx"].map((letter, index) => ((mode & (0o400 >> index)) !== 0 ? letter : "-"));
  const special: readonly [number, number, string][] = [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ];
  for (const [bit, at, letter] of special) if ((mode & bit) !== 0) symbols[at] = symbols[at] === "x" ? letter : letter.toUpperCase();
  return (stat.device ? "c" : KINDS[type]) + symbols.join("");
}

/** `644`, `u+x,go-w`, `g=u`. @returns undefined where it is no mode */
export function newMode(text: string, stat: Pick<FileStat, "type" | "mode">): number | undefined {
  if (/^[0-7]{1,5}$/.test(text)) return Number.parseInt(text, 8) & 0o7777;
  let mode = stat.mode & 0o7777;
  for (const clause of text.split(",")) {
    const m = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause);
    if (!m) return undefined;
    const who = m[1] === "" || m[1]?.includes("a") ? "ugo" : (m[1] ?? "");
    for (const action of (m[2] ?? "").match(/[-+=](?:[ugo]|[rwxXst]*)/g) ?? []) mode = changed(mode, who, action, stat.type);
  }
  return mode;
}

const SHIFTS: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function changed(mode: number, who: string, action: string, type: FileStat["type"]): number {
  const sign = action.charAt(0);
  const perms = action.slice(1);
  let bits = 0;
  for (const letter of perms) {
    if (letter === "r") bits |= 4;
    else if (letter === "w") bits |= 2;
    else if (letter === "x" || (letter === "X" && (type === "directory" || (mode & 0o111) !== 0))) bits |= 1;
    else if (SHIFTS[letter] !== undefined) bits |= (mode >> SHIFTS[letter]) & 7;
  }
  let special = 0;
  if (perms.includes("s")) special |= (who.includes("u") ? 0o4000 : 0) | (who.includes("g") ? 0o2000 : 0);
  if (perms.includes("t")) special |= 0o1000;
  let next = mode;
  for (const [name, shift] of Object.entries(SHIFTS)) {
    if (!who.includes(name)) continue;
    if (sign === "+") next |= bits << shift;
    else if (sign === "-") next &= ~(bits << shift);
    else next = (next & ~(7 << shift)) | (bits << shift);
  }
  return sign === "-" ? next & ~special : next | special;
}
