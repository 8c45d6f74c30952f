/**
 * getopt(3) and getopt_long(3) as the real tools use them: options may stand anywhere before `--`, and the messages are glibc's. Left out: optional
 * arguments of short options and POSIXLY_CORRECT.
 */

export interface Option {
  /** The letter, or a long option's name without dashes. */
  readonly name: string;
  readonly value: string;
}

export interface Parsed {
  readonly options: readonly Option[];
  readonly operands: readonly string[];
  /** glibc's message, with the program's name; parsing stopped there. */
  readonly error: string | undefined;
}

/**
 * @param short options as for getopt(3): `ab:` is a flag and an option with an argument
 * @param long names without dashes; one ending in `=` takes an argument
 */
export function getopt(program: string, args: readonly string[], short: string, long: readonly string[] = []): Parsed {
  const options: Option[] = [];
  const operands: string[] = [];
  const done = (error: string | undefined): Parsed => ({ options, operands, error: error && `${program}: ${error}` });
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      operands.push(word);
      continue;
    }
    if (word.startsWith("--") && long.length > 0) {
      const equals = word.indexOf("=");
      const name = word.slice(2, equals < 0 ? undefined : equals);
      const matches = long.filter((l) => l.replace(/=$/, "") === name);
      const near = matches.length > 0 ? matches : long.filter((l) => l.startsWith(name));
      const found = near[0];
      if (found === undefined) return done(`unrecognized option '${word}'`);
      if (near.length > 1)
        return done(`option '${word}' is ambiguous; possibilities: ${near.map((n) => `'--${n.replace(/=$/, "")}'`).join(" ")}`);
      const full = found.replace(/=$/, "");
      if (!found.endsWith("=")) {
        if (equals >= 0) return done(`option '--${full}' doesn't allow an argument`);
        options.push({ name: full, value: "" });
      } else if (equals >= 0) options.push({ name: full, value: word.slice(equals + 1) });
      else if (i + 1 < args.length) options.push({ name: full, value: args[++i] ?? "" });
      else return done(`option '--${full}' requires an argument`);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? "";
      const place = letter === ":" ? -1 : short.indexOf(letter);
      if (place < 0) return done(`invalid option -- '${letter}'`);
      if (short[place + 1] !== ":") {
        options.push({ name: letter, value: "" });
        continue;
      }
      if (at + 1 < word.length) options.push({ name: letter, value: word.slice(at + 1) });
      else if (i + 1 < args.length) options.push({ name: letter, value: args[++i] ?? "" });
      else return done(`option requires an argument -- '${letter}'`);
      break;
    }
  }
  return done(undefined);
}

/** A decimal number from `low` to `high` that is nothing else; undefined otherwise. */
export function wholeNumber(text: string, low: number, high: number): number | undefined {
  if (!/^[0-9]{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value < low || value > high ? undefined : value;
}
