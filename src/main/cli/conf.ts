/** `quorate conf check FILE [--release R] [--json]`, `conf diff OLD NEW [--json]` and `conf print FILE`: questions about a corosync.conf, without a lab. */
import { checkConf, diffConf, parseConf, printConf, type ConfChange, type Release, type ReloadEffect } from "../../engine/config/index.ts";
import type { Finding } from "../lab/api.ts";
import { CONF_BYTES_MAX, readInput } from "../lab/file/read-input.ts";
import { print, printJson, say } from "./outcome.ts";

/** The text of a corosync.conf. Throws Trouble (usage), one line, for what cannot be read or is no text of that size. */
export function readConf(path: string): string {
  return readInput(path, CONF_BYTES_MAX, "a corosync.conf");
}

function findingLine(path: string, f: Finding): string {
  return `${path}:${f.line}:${f.column}: ${f.severity}: ${f.text} [${f.code}]\n    ${f.mend}`;
}

/** Prints the findings. 0 without an error among them, 1 with one. Throws Trouble for an unreadable file. */
export function confCheck(path: string, json: boolean, release?: Release): number {
  const findings = checkConf(readConf(path), release);
  const count = (severity: Finding["severity"]): number => findings.filter((f) => f.severity === severity).length;
  const errors = count("error");
  const warnings = count("warning");
  if (json) printJson({ errors, warnings, findings });
  else {
    for (const finding of findings) print(findingLine(path, finding));
    const verdict = errors > 0 ? "corosync refuses this file" : "corosync accepts this file";
    print(`${path}: ${verdict} (errors: ${errors}, warnings: ${warnings}, notes: ${count("note")})`);
  }
  return errors > 0 ? 1 : 0;
}

/** Prints the file in its canonical shape; 1, with every refusal on stderr, if it does not parse. Throws Trouble for an unreadable file. */
export function confPrint(path: string): number {
  const { conf, errors } = parseConf(readConf(path));
  for (const error of errors) say(`${path}:${error.line}:${error.column}: ${error.text}`);
  if (errors.length > 0) return 1;
  const text = printConf(conf);
  if (text !== "") print(text);
  return 0;
}

const HEADINGS: readonly (readonly [ReloadEffect, string])[] = [
  ["live", "Taken by a reload (corosync-cfgtool -R), on every node:"],
  ["restart", "Needs a restart:"],
  ["none", "Of no effect:"],
];

function changeLine(change: ConfChange): string {
  const value = (text: string | null): string => text ?? "(not set)";
  return `  ${change.key}: ${value(change.old)} -> ${value(change.new)}\n      ${change.reason}`;
}

/** Prints what differs and what a reload does with it. 0; 1, with every refusal on stderr, if a file does not parse. Throws Trouble for an unreadable file. */
export function confDiff(old: string, next: string, json: boolean): number {
  const { changes, errors } = diffConf(readConf(old), readConf(next));
  for (const [path, list] of [[old, errors.old] as const, [next, errors.new] as const])
    for (const error of list) say(`${path}:${error.line}:${error.column}: ${error.text}`);
  if (errors.old.length + errors.new.length > 0) return 1;
  const refusal = checkConf(readConf(next)).find((f) => f.severity === "error");
  if (refusal) say(`${next}:${refusal.line}:${refusal.column}: corosync refuses this file, at a reload too: ${refusal.text}`);
  if (json) printJson({ changes });
  else if (changes.length === 0) print("no difference that corosync would see");
  else
    for (const [effect, heading] of HEADINGS) {
      const those = changes.filter((c) => c.effect === effect);
      if (those.length > 0) print(`${heading}\n${those.map(changeLine).join("\n")}`);
    }
  return 0;
}
