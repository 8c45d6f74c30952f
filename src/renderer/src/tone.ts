/** A ring's letter and its tone: colour and pattern go by the letter, so that the same ring looks the same everywhere. */

/** Class name "r1" … "r6" of a ring's letter. */
export function toneOf(letter: string): string {
  const index = letter.toUpperCase().charCodeAt(0) - 65;
  return `r${((((Number.isNaN(index) ? 0 : index) % 6) + 6) % 6) + 1}`;
}
