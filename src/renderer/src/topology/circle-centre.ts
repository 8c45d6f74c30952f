/** What stands in the middle of the circle: the votes of the one ring, or a line for each of several. Only what fits between the spokes. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import type { CentreLine } from "./circle-shapes.ts";
import { clipped, type Font } from "../names.ts";
import { circleWords, formingWords, voteWords } from "../words/topology.ts";

const lineFont: Font = { size: 12 };
const pitch = 18;
/** Below the inner switch's own name. */
const topRoom = 46;

/** `inner`: radius of the innermost circle. */
export function centreOf(snapshot: LabSnapshot, inner: number): CentreLine[] {
  const formed = snapshot.components.filter((component) => component.formed);
  const chord = (y: number): number => 2 * Math.sqrt(Math.max(0, (inner - 12) ** 2 - (Math.abs(y) + 6) ** 2));
  const fitting = (lines: readonly CentreLine[]): CentreLine[] =>
    lines.map((one) => (one.look === "figure" ? one : { ...one, text: clipped(one.text, chord(one.y), lineFont) }));
  const [first] = formed;
  if (first === undefined) {
    const text = snapshot.forming.length === 0 ? "" : formingWords(snapshot.forming);
    return fitting([
      { y: 0, text: voteWords.noRing, look: "line" },
      { y: pitch, text, look: "soft" },
    ]);
  }
  if (formed.length === 1)
    return fitting([
      { y: 2, text: `${first.votes} of ${first.expectedVotes}`, look: "figure" },
      { y: 22, text: `votes, ${first.quorum} needed`, look: "line" },
      {
        y: 22 + pitch,
        text: first.quorate ? `may lose ${first.mayLose} more` : voteWords.notQuorate,
        look: first.quorate ? "soft" : "bad",
      },
    ]);
  const most = Math.max(2, Math.floor((2 * inner - topRoom - 50) / pitch));
  const shown = formed.length <= most ? formed : formed.slice(0, most - 1);
  const from = -((formed.length > most ? most - 1 : shown.length - 1) * pitch) / 2 + 10;
  const lines = shown.map(({ letter, votes, expectedVotes, quorate }, index): CentreLine => ({
    y: from + index * pitch,
    text: `${circleWords.ring(letter, votes, expectedVotes)} ${quorate ? voteWords.quorate : voteWords.notQuorate}`,
    look: quorate ? "ok" : "bad",
  }));
  const more = formed.length - shown.length;
  return fitting(more === 0 ? lines : [...lines, { y: from + shown.length * pitch, text: circleWords.more(more), look: "soft" }]);
}
