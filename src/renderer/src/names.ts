/** Names and texts where there is little room: measured as the page draws them, shortened so that they still tell things apart. */

export interface Font {
  /** Pixels, or units of a drawing. */
  size: number;
  strong?: boolean;
}

const widthsMax = 4_000;
const widths = new Map<string, number>();
let pencil: CanvasRenderingContext2D | null | undefined;
/** The page never changes it, and each asking has every style computed anew. */
let family: string | undefined;

/** The width of a line of text in the page's own font. */
export function textWidth(text: string, { size, strong = false }: Font): number {
  const key = `${size}${strong ? "s" : "n"}${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  // Where nothing is drawn (a test of the geometry alone) every character is as wide as a wide one.
  pencil ??= typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");
  let width = text.length * size * 0.6;
  if (pencil) {
    family ??= getComputedStyle(document.body).fontFamily;
    pencil.font = `${strong ? 600 : 400} ${size}px ${family}`;
    width = pencil.measureText(text).width;
  }
  if (widths.size >= widthsMax) widths.clear();
  widths.set(key, width);
  return width;
}

/** The longest piece that `cut` leaves of a text and that fits. */
function longest(length: number, room: number, font: Font, cut: (count: number) => string): string {
  let [low, high] = [0, length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (textWidth(cut(middle), font) <= room) low = middle;
    else high = middle - 1;
  }
  return cut(low);
}

/** A sentence that ends where the room ends. */
export function clipped(text: string, room: number, font: Font): string {
  if (textWidth(text, font) <= room) return text;
  return longest(text.length, room, font, (count) => `${text.slice(0, count).trimEnd()}…`);
}

/** A name without its middle: its beginning and its end tell more. */
export function middleCut(name: string, room: number, font: Font): string {
  if (textWidth(name, font) <= room) return name;
  return longest(name.length, room, font, (count) => {
    const tail = Math.floor(count / 2);
    return `${name.slice(0, count - tail)}…${tail === 0 ? "" : name.slice(-tail)}`;
  });
}

/** How long the beginning is that all the names share. */
function commonLength(names: readonly string[]): number {
  const [first = ""] = names;
  let length = 0;
  while (length < first.length && names.every((name) => name[length] === first[length])) length++;
  return length;
}

/** Without what all begin with and all end with; parts between separators and numbers stay whole. */
function withoutCommon(names: readonly string[]): string[] {
  const [first = ""] = names;
  if (names.length < 2) return [...names];
  const same = first.slice(0, commonLength(names));
  const separated = /^.*[-_.]/.exec(same)?.[0] ?? "";
  const begin = names.every((name) => /^\d+$/.test(name.slice(same.replace(/\d+$/, "").length))) ? same.replace(/\d+$/, "") : separated;
  const backwards = names.map((name) => [...name.slice(begin.length)].toReversed().join(""));
  const [firstBack = ""] = backwards;
  const end = /^.*[-_.]/.exec(firstBack.slice(0, commonLength(backwards)))?.[0].length ?? 0;
  const short = names.map((name) => name.slice(begin.length, name.length - end));
  return short.every((name) => name !== "") ? short : [...names];
}

/** The piece in which a name differs from others that look the same when they are short. */
function difference(name: string, others: readonly string[], room: number, font: Font): string {
  const at = commonLength([name, ...others]);
  const rest = name.slice(at);
  if (textWidth(`…${rest}`, font) <= room) return longest(at, room, font, (count) => `…${name.slice(at - count)}`);
  return longest(rest.length, room, font, (count) => `…${rest.slice(0, count)}…`);
}

/** Each name as it fits into `room`, no two alike: whole where all fit, else without what they share, else the part that differs. */
export function shortNames(names: readonly string[], room: number, font: Font): Map<string, string> {
  if (names.every((name) => textWidth(name, font) <= room)) return new Map(names.map((name) => [name, name]));
  const apart = withoutCommon(names);
  const cut = apart.map((name) => middleCut(name, room, font));
  const alike = (index: number): string[] => names.filter((_, other) => other !== index && cut[other] === cut[index]);
  const different = names.map((name, index) =>
    alike(index).length === 0 ? (cut[index] ?? name) : difference(name, alike(index), room, font),
  );
  // Names that differ in more than there is room for are told apart by their place.
  const twice = (index: number): boolean => different.some((other, at) => at !== index && other === different[index]);
  return new Map(names.map((name, index) => [name, twice(index) ? `#${index + 1}` : (different[index] ?? name)]));
}
