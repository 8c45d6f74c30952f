/** Cuts what a terminal sends into keystrokes: characters, control characters, escape sequences, and whole pastes. */

const PASTE_START = "\u001b[200~";
const PASTE_END = "\u001b[201~";
/** Characters of one paste. */
export const PASTE_MAX = 1024 * 1024;

export type Key = { readonly kind: "key"; readonly text: string } | { readonly kind: "paste"; readonly text: string };

const SEQUENCE = /^\u001b(?:\[[0-9;?]*[A-Za-z~]|O[A-Za-z]|[^[O\u001b])/;

export class KeyReader {
  private rest = "";
  private paste: string | undefined;

  /** Keys that are complete now; an unfinished sequence waits for more. */
  push(text: string): Key[] {
    this.rest += text;
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
    if (/^\u001b(?:\[[0-9;?]{0,16}|O)?$/.test(this.rest)) return undefined;
    this.rest = this.rest.slice(1);
    return "\u001b";
  }

  /** Called when nothing followed for a moment: a lone Escape is a key of its own. */
  flush(): Key[] {
    if (this.rest !== "\u001b") return [];
    this.rest = "";
    return [{ kind: "key", text: "\u001b" }];
  }
}
