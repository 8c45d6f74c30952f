/** Dates of virtual time: the formats of `date` and `printf %()T`. UTC, C locale. */
import { civilFromUnix, daysFromCivil, unixFromIso } from "../../../engine/kernel/time.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const two = (n: number): string => String(n).padStart(2, "0");

/** `format` with its `%` sequences filled in for `micros` since 1970. */
export function strftime(format: string, micros: number): string {
  const c = civilFromUnix(micros);
  const seconds = Math.floor(micros / 1_000_000);
  const yearDay = daysFromCivil(c.year, c.month, c.day) - daysFromCivil(c.year, 1, 1);
  const one = (letter: string): string | undefined => {
    switch (letter) {
      case "Y":
        return String(c.year);
      case "C":
        return two(Math.floor(c.year / 100));
      case "y":
        return two(c.year % 100);
      case "m":
        return two(c.month);
      case "d":
        return two(c.day);
      case "e":
        return String(c.day).padStart(2);
      case "H":
        return two(c.hour);
      case "k":
        return String(c.hour).padStart(2);
      case "I":
        return two(c.hour % 12 || 12);
      case "l":
        return String(c.hour % 12 || 12).padStart(2);
      case "M":
        return two(c.minute);
      case "S":
        return two(c.second);
      case "N":
        return String(c.micros * 1000).padStart(9, "0");
      case "p":
        return c.hour < 12 ? "AM" : "PM";
      case "P":
        return c.hour < 12 ? "am" : "pm";
      case "s":
        return String(seconds);
      case "j":
        return String(yearDay + 1).padStart(3, "0");
      case "u":
        return String(c.weekday || 7);
      case "w":
        return String(c.weekday);
      case "U":
        return two(Math.floor((yearDay + 7 - c.weekday) / 7));
      case "W":
        return two(Math.floor((yearDay + 7 - ((c.weekday + 6) % 7)) / 7));
      case "a":
        return DAYS[c.weekday]?.slice(0, 3);
      case "A":
        return DAYS[c.weekday];
      case "b":
      case "h":
        return MONTHS[c.month - 1]?.slice(0, 3);
      case "B":
        return MONTHS[c.month - 1];
      case "Z":
        return "UTC";
      case "z":
        return "+0000";
      case "n":
        return "\n";
      case "t":
        return "\t";
      case "%":
        return "%";
      default:
        return undefined;
    }
  };
  const composed: Readonly<Record<string, string>> = {
    D: "%m/%d/%y",
    F: "%Y-%m-%d",
    T: "%H:%M:%S",
    R: "%H:%M",
    r: "%I:%M:%S %p",
    c: "%a %b %e %H:%M:%S %Y",
    x: "%m/%d/%y",
    X: "%H:%M:%S",
  };
  const fill = (text: string): string =>
    text.replace(/%([-_0^#]?)(:?[a-zA-Z%]|\d+N)/g, (whole, flag: string, letter: string) => {
      if (letter === ":z") return "+00:00";
      const digits = /^(\d+)N$/.exec(letter);
      if (digits)
        return String(c.micros * 1000)
          .padStart(9, "0")
          .slice(0, Number(digits[1]));
      const inner = composed[letter];
      const value = inner === undefined ? one(letter) : fill(inner);
      if (value === undefined) return whole;
      if (flag === "-") return value.replace(/^[0 ]+(?=.)/, "");
      if (flag === "_") return value.replace(/^0+(?=.)/, (zeros) => " ".repeat(zeros.length));
      return flag === "^" ? value.toUpperCase() : value;
    });
  return fill(format);
}

/** `[[CC]YY]MMDDhhmm[.ss]`, as `touch -t` is told it. @returns µs since 1970 */
export function parseStamp(text: string, now: number): number | undefined {
  const m = /^(\d{2}|\d{4})?(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{2}))?$/.exec(text);
  if (!m) return undefined;
  const [, years, month = "", day = "", hour = "", minute = "", second = "00"] = m;
  const year =
    years === undefined ? String(civilFromUnix(now).year) : years.length === 4 ? years : `${Number(years) < 69 ? "20" : "19"}${years}`;
  return unixFromIso(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** What `date -d` understands here: `@seconds`, ISO dates, `now`, and offsets from now. @returns µs since 1970 */
export function parseDate(text: string, now: number): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "now" || trimmed === "today") return now;
  const at = /^@(-?\d+(?:\.\d+)?)$/.exec(trimmed);
  if (at) return Math.round(Number(at[1]) * 1_000_000);
  const iso = unixFromIso(trimmed.replace(/ ?(?:UTC|\+00:?00)$/, ""));
  if (iso !== undefined) return iso;
  if (trimmed === "yesterday") return now - 86_400_000_000;
  if (trimmed === "tomorrow") return now + 86_400_000_000;
  const offset = /^([+-]?)\s*(\d+)\s*(sec|second|min|minute|hour|day|week)s?(\s+ago)?$/.exec(trimmed);
  if (!offset) return undefined;
  const units: Readonly<Record<string, number>> = { sec: 1, second: 1, min: 60, minute: 60, hour: 3600, day: 86_400, week: 604_800 };
  const span = Number(offset[2]) * (units[offset[3] ?? ""] ?? 1) * 1_000_000;
  const back = (offset[1] === "-") !== (offset[4] !== undefined);
  return now + (back ? -span : span);
}
