/** Cuts what a terminal sends into keystrokes: characters, control characters, escape sequences, and whole pastes. */

const PASTE_START = "\u001b[200~";
const PASTE_END = "\u001b[201~";
/** Characters of one paste. */
export const PASTE_MAX = 1024 * 1024;

export type Key = { readonly kind: "key"; readonly text: string } | { readonly kind: "paste"; readonly text: string };

/** ECMA-48: a control sequence, a key of the application keypad, or a key with Alt. */
const SEQUENCE = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z]|[^[OPX^_\]\u001b])/;
/** A string that a terminal answers with (DCS, SOS, OSC, PM, APC), up to what ends it. Nobody types one. */
const STRING = /^\u001b[PX^_\]][^]*?(?:\u001b\\|\u0007)/;
const STRING_START = /^\u001b[PX^_\]]/;
/** Characters of one answer. */
const STRING_MAX = 65_536;

export class KeyReader {
  private rest = "";
  /** The start of an answer was dropped: its end is still to come. */
  private cut = false;
  private paste: string | undefined;

  /** Keys that are complete now; an unfinished sequence waits for more. */
  push(text: string): Key[] {
    this.rest += this.cut ? text.replace(/^[^]*?(?:\u001b\\|\u0007)/, "") : text;
    this.cut = false;
    const keys: Key[] = [];
    while (this.rest !== "") {
      if (this.paste !== undefined) {
        const end = this.rest.indexOf(PASTE_END);
        const keep = end < 0 ? Math.max(0, this.rest.length - PASTE_END.length) : end;
        this.paste = (this.paste + this.rest.slice(0, keep)).slice(0, PASTE_MAX);
        this.rest = this.rest.slice(end < 0 ? keep : end + PASTE_END.length);
        if (end < 0) break;
        keys.push({ kind: "paste", text: this.paste.replace(/\r\n?/g, "\n") });
        this.paste = undefined;
      } else if (this.rest.startsWith(PASTE_START)) {
        this.rest = this.rest.slice(PASTE_START.length);
        this.paste = "";
      } else {
        const answer = STRING.exec(this.rest)?.[0];
        if (answer !== undefined) {
          this.rest = this.rest.slice(answer.length);
          continue;
        }
        const key = this.one();
        if (key === undefined) break;
        keys.push({ kind: "key", text: key });
      }
    }
    return keys;
  }

  private one(): string | undefined {
    if (!this.rest.startsWith("\u001b")) {
      const [first] = this.rest;
      this.rest = this.rest.slice(first?.length ?? 1);
      return first;
    }
    const sequence = SEQUENCE.exec(this.rest)?.[0];
    if (sequence !== undefined) {
      this.rest = this.rest.slice(sequence.length);
      return sequence;
    }
    if (/^\u001b(?:\[[0-?]{0,64}[ -/]{0,4}|O)?$/.test(this.rest)) return undefined;
    if (STRING_START.test(this.rest)) {
      if (this.rest.length > STRING_MAX) this.drop();
      return undefined;
    }
    this.rest = this.rest.slice(1);
    return "\u001b";
  }

  /** Called when nothing followed for a moment: a lone Escape is a key of its own, and so is one with Alt. What is left of an answer is not. */
  flush(): Key[] {
    const { rest } = this;
    if (rest.length > 2 && STRING_START.test(rest)) this.drop();
    if (rest !== "\u001b" && !(rest.length === 2 && STRING_START.test(rest))) return [];
    this.rest = "";
    return [{ kind: "key", text: rest }];
  }

  private drop(): void {
    this.rest = "";
    this.cut = true;
  }
}
