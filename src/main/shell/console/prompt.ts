/** PS1 and PS2 as bash writes them. */
import type { Shell } from "../interpreter/shell.ts";

export const DEFAULT_PROMPT = "\\u@\\h:\\w\\$ ";

/** Escape sequences for colour are left out: the editor counts columns. */
export function expandPrompt(shell: Shell, template: string): string {
  const host = shell.get("HOSTNAME") ?? shell.system.port.node;
  const home = shell.get("HOME") ?? "/root";
  const folder = shell.cwd === home ? "~" : shell.cwd.startsWith(`${home}/`) ? `~${shell.cwd.slice(home.length)}` : shell.cwd;
  const values: Readonly<Record<string, string>> = {
    u: "root",
    h: host.split(".")[0] ?? host,
    H: host,
    w: folder,
    W: folder === "~" ? "~" : folder.slice(folder.lastIndexOf("/") + 1) || "/",
    $: "#",
    s: "bash",
    n: "\n",
    "\\": "\\",
    "[": "",
    "]": "",
  };
  return template.replace(/\\(\[.*?\\\]|.)/g, (whole, letter: string) => (letter.startsWith("[") ? "" : (values[letter] ?? whole)));
}
