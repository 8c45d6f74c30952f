/**
 * The guard for glued lines. Commands copied from a web page often arrive with the next comment or command stuck to them (`pvecm status# Then add`,
 * `…10.0.0.11pvecm nodes`), and running them as they are would run half a sentence. The guard finds the seams and proposes lines.
 */

/** Commands whose names do not occur inside other names. */
const COMMANDS =
  "pvecm|systemctl|journalctl|corosync-quorumtool|corosync-cfgtool|corosync-cmapctl|ha-manager|pvesh|pvesm|pveceph|vzdump|hostnamectl|timedatectl";

/** Where a line is quoted or inside `${…}`: no seams there. */
function quotedRanges(line: string): [number, number][] {
  const ranges: [number, number][] = [];
  for (const m of line.matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|\$\{[^}]*\}/g)) ranges.push([m.index, m.index + m[0].length]);
  return ranges;
}

/** The text with the lines apart; the text itself where no seam was found. */
export function splitGlued(text: string): string {
  return text
    .split("\n")
    .map((line) => splitLine(line))
    .join("\n");
}

function splitLine(line: string): string {
  const quoted = quotedRanges(line);
  const inside = (at: number): boolean => quoted.some(([from, to]) => at >= from && at < to);
  const seams = new Set<number>();
  // a comment stuck to the word before it: `status# On the other nodes`
  for (const m of line.matchAll(/[^\s#$&;(|/=]#+(?=\s*\p{L}{2,}[\p{L}\s]*(?:\s|:|$))/gu))
    if (!inside(m.index) && !/#\S*$/.test(line.slice(0, m.index + 1))) seams.add(m.index + 1);
  // a known command stuck to what is before it: `10.0.0.11pvecm nodes`, `nodes:pvecm add`
  for (const m of line.matchAll(new RegExp(`[\\w.:!)"'](?=(?:${COMMANDS})\\s)`, "g"))) {
    const at = m.index + 1;
    const word = /\S+$/.exec(line.slice(0, at))?.[0] ?? "";
    if (!inside(m.index) && !word.includes("/") && !word.endsWith("-")) seams.add(at);
  }
  if (seams.size === 0) return line;
  let out = "";
  let from = 0;
  for (const seam of [...seams].sort((a, b) => a - b)) {
    out += `${line.slice(from, seam).trimEnd()}\n`;
    from = seam;
  }
  return out + line.slice(from);
}
