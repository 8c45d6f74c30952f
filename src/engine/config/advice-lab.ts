/**
 * The checker's rules about what a file comes to in a lab: what the lab cannot run or runs otherwise, and users or groups that a machine may not have.
 */
import type { ConfSection } from "./ast.ts";
import { isAccountName, isBaseAccount, notFound } from "./accounts.ts";
import type { Finding } from "./finding.ts";
import { limitsMet } from "./lab-limits.ts";
import type { ParseOutcome } from "./parse.ts";

type Add = (severity: Finding["severity"], code: string, key: string, text: string, mend: string, ...sections: string[]) => void;

/** Whether a finding is about the lab and not about corosync. */
export function isAboutLab({ code }: Pick<Finding, "code">): boolean {
  return code.startsWith("lab-");
}

function accounts(sections: readonly ConfSection[], add: Add): void {
  for (const entry of sections.flatMap((s) => s.entries)) {
    if (entry.kind !== "key" || (entry.name !== "uid" && entry.name !== "gid")) continue;
    const kind = entry.name === "uid" ? "user" : "group";
    if (!isAccountName(entry.value) || isBaseAccount(kind, entry.value)) continue;
    add(
      "warning",
      "lab-account",
      `@${entry.line}:${entry.valueColumn}`,
      `a host without that ${kind}, such as a machine of a lab, does not start corosync: ${notFound(kind, entry.value)}`,
      `add the ${kind} to every node, write its number, or leave the line out`,
    );
  }
}

export function labAdvice({ conf, values }: ParseOutcome, add: Add): void {
  for (const { limit, key, value } of limitsMet(values))
    add(
      "warning",
      limit.lab === "refused" ? "lab-refuses" : "lab-differs",
      `@${value.line}:${value.column}`,
      limit.text(value.text, key),
      limit.mend,
    );
  accounts(conf.entries.filter((e) => e.kind === "section" && e.name === "uidgid") as ConfSection[], add);
}
