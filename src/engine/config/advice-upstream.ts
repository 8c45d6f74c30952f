/**
 * What of a file is about to go or cannot be seen: a transport that newer libraries are built without, and a no-break space, pasted from a page, in a value. Sources: corosync 3.1.10 with
 * `knet_transport: sctp`; `secauth: on` followed by such a space, tried with 3.1.7 and 3.1.10.
 */
import type { ConfEntry } from "./ast.ts";
import type { Finding } from "./finding.ts";
import type { ParseOutcome } from "./parse.ts";

const SCTP = /^totem\.interface\.[0-9]+\.knet_transport$/;

type Add = (severity: Finding["severity"], code: string, key: string, text: string, mend: string, ...sections: string[]) => void;

/** A no-break space, or what is left of one of which a byte has been taken for a blank. */
const NO_BREAK = /[\u00A0\uFFFD]/;

function deprecated({ values }: ParseOutcome, add: Add): void {
  for (const [key, { text }] of values)
    if (SCTP.test(key) && text === "sctp")
      add(
        "warning",
        "sctp",
        key,
        "SCTP is deprecated, and the libknet of Proxmox VE is built without it: corosync does not start with it there",
        "remove the key; udp is the default",
      );
}

function noBreakSpaces(entries: readonly ConfEntry[], path: string, add: Add): void {
  for (const entry of entries) {
    const name = path === "" ? entry.name : `${path}.${entry.name}`;
    if (entry.kind === "section") noBreakSpaces(entry.entries, name, add);
    else if (NO_BREAK.test(entry.value))
      add(
        "warning",
        "no-break-space",
        `@${entry.line}:${entry.valueColumn}`,
        `the value of ${name} has a no-break space in it, which is a part of it: to corosync it is not ${JSON.stringify(entry.value.replace(/[\s\uFFFD]/g, ""))}`,
        "type the line anew, with ordinary blanks",
      );
  }
}

export function upstreamAdvice(parsed: ParseOutcome, add: Add): void {
  deprecated(parsed, add);
  noBreakSpaces(parsed.conf.entries, "", add);
}
