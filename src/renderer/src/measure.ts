/** How wide a text is, without drawing it: for labels that are left out where they do not fit. */

const known = new Map<string, number>();
const knownMax = 4_000;
let drawing: CanvasRenderingContext2D | null | undefined;

/** px of a text in a font as CSS writes it: "11px sans-serif". */
export function textWidth(text: string, font: string): number {
  const key = `${font}\n${text}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  drawing ??= document.createElement("canvas").getContext("2d");
  if (drawing === null) return text.length * 8;
  drawing.font = font;
  const width = Math.ceil(drawing.measureText(text).width);
  if (known.size >= knownMax) known.clear();
  known.set(key, width);
  return width;
}
