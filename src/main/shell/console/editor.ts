/** The line editor: emacs keys, history, reverse search, completion, pastes. */
import { columns } from "../userland/ls.ts";
import { Buffer } from "./buffer.ts";
import type { Completion } from "./completion.ts";
import { commonPrefix } from "./completion.ts";
import type { Key } from "./keys.ts";
import { splitGlued } from "./paste.ts";
import { Screen } from "./screen.ts";
import type { Terminal } from "./terminal.ts";

export type Edited = { kind: "line"; text: string } | { kind: "cancel" } | { kind: "end" };

const NAMED: Readonly<Record<string, string>> = {
  "\u001b[A": "\u0010",
  "\u001bOA": "\u0010",
  "\u001b[B": "\u000e",
  "\u001bOB": "\u000e",
  "\u001b[C": "\u0006",
  "\u001bOC": "\u0006",
  "\u001b[D": "\u0002",
  "\u001bOD": "\u0002",
  "\u001b[H": "\u0001",
  "\u001bOH": "\u0001",
  "\u001b[1~": "\u0001",
  "\u001b[F": "\u0005",
  "\u001bOF": "\u0005",
  "\u001b[4~": "\u0005",
  "\u001b[1;5D": "\u001bb",
  "\u001b[1;3D": "\u001bb",
  "\u001b[1;5C": "\u001bf",
  "\u001b[1;3C": "\u001bf",
  "\b": "\u007f",
  "\n": "\r",
};

interface Search {
  query: string;
  at: number;
  before: string;
}

export class Editor {
  private readonly buffer = new Buffer();
  private readonly screen: Screen;
  private prompt = "";
  private history: readonly string[] = [];
  /** Position in the history; its length is the line being written. */
  private place = 0;
  private draft = "";
  private search: Search | undefined;
  private tabs = 0;
  private lastKey = "";
  /** A paste with seams, and the lines proposed for it. */
  private glued: { asIs: string; apart: string } | undefined;
  private done: ((edited: Edited) => void) | undefined;
  private completing = false;

  constructor(
    private readonly terminal: Terminal,
    private readonly complete: (before: string) => Promise<Completion>,
  ) {
    this.screen = new Screen(
      (text) => terminal.write(text),
      () => terminal.size().cols,
    );
    terminal.onEnd(() => this.finish({ kind: "end" }));
  }

  /** Reads one line. `prompt` has no escape sequences. */
  read(prompt: string, history: readonly string[]): Promise<Edited> {
    this.prompt = prompt;
    this.history = history;
    this.place = history.length;
    this.draft = "";
    this.buffer.set("");
    this.search = undefined;
    this.glued = undefined;
    this.tabs = 0;
    return new Promise((resolve) => {
      if (this.terminal.closed) {
        resolve({ kind: "end" });
        return;
      }
      this.done = resolve;
      this.screen.reset();
      this.terminal.write("\u001b[?2004h");
      this.screen.draw(this.prompt, "", 0);
      this.terminal.listen((key) => this.take(key));
    });
  }

  /** Gives the line up from outside: the machine went away. */
  abandon(): void {
    if (this.done) this.finish({ kind: "cancel" }, "");
  }

  /** After the terminal changed its size. */
  redraw(): void {
    if (this.done) this.draw();
  }

  private finish(edited: Edited, mark = ""): void {
    const done = this.done;
    if (!done) return;
    this.done = undefined;
    this.terminal.unlisten();
    if (edited.kind !== "end") this.screen.leave(this.prompt, this.buffer.text);
    this.terminal.write(`${mark}\u001b[?2004l`);
    done(edited);
  }

  private draw(): void {
    if (this.search) {
      const prompt = `(${this.search.at < 0 ? "failed " : ""}reverse-i-search)\`${this.search.query}': `;
      this.screen.draw(prompt, this.buffer.text, this.buffer.cursor);
    } else this.screen.draw(this.prompt, this.buffer.text, this.buffer.cursor, this.glued ? notice(this.glued.apart) : "");
  }

  private take(key: Key): void {
    if (this.completing) {
      this.terminal.unread(key);
      this.terminal.unlisten();
      return;
    }
    if (this.glued) {
      this.answerGlued(key);
      return;
    }
    if (key.kind === "paste") {
      this.paste(key.text);
      return;
    }
    const text = NAMED[key.text] ?? key.text;
    if (this.search && this.takeSearch(text)) return;
    this.press(text);
    this.lastKey = text;
    if (text !== "\t") this.tabs = 0;
  }

  private paste(text: string): void {
    const clean = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "").replace(/\n+$/, "");
    const apart = splitGlued(clean);
    if (apart !== clean) this.glued = { asIs: clean, apart };
    else this.buffer.insert(clean);
    this.draw();
  }

  private answerGlued(key: Key): void {
    const glued = this.glued;
    if (!glued || key.kind === "paste") return;
    if (key.text === "\r" || key.text === "\n") this.buffer.insert(glued.apart);
    else if (key.text === "a") this.buffer.insert(glued.asIs);
    else if (key.text !== "\u001b" && key.text !== "\u0003") return;
    this.glued = undefined;
    this.draw();
  }

  private press(key: string): void {
    const b = this.buffer;
    switch (key) {
      case "\r":
        this.finish({ kind: "line", text: b.text });
        return;
      case "\u0003":
        this.terminal.write("^C");
        this.finish({ kind: "cancel" });
        return;
      case "\u0004":
        if (b.chars.length === 0) {
          this.finish({ kind: "end" });
          return;
        }
        b.remove(b.cursor, b.cursor + 1 > b.chars.length ? b.cursor : b.cursor + 1);
        break;
      case "\t":
        this.tab();
        return;
      case "\u000c":
        this.terminal.write("\u001b[H\u001b[2J");
        this.screen.reset();
        break;
      case "\u0012":
        this.search = { query: "", at: this.history.length, before: b.text };
        break;
      case "\u0010":
        this.recall(this.place - 1);
        break;
      case "\u000e":
        this.recall(this.place + 1);
        break;
      default:
        if (!this.edit(key)) return;
    }
    this.draw();
  }

  /** Movements, deletions and characters. @returns whether the line must be drawn again */
  private edit(key: string): boolean {
    const b = this.buffer;
    switch (key) {
      case "\u0001":
        b.move(0);
        return true;
      case "\u0005":
        b.move(b.chars.length);
        return true;
      case "\u0002":
        b.move(b.cursor - 1);
        return true;
      case "\u0006":
        b.move(b.cursor + 1);
        return true;
      case "\u001bb":
        b.move(b.wordLeft());
        return true;
      case "\u001bf":
        b.move(b.wordRight());
        return true;
      case "\u007f":
        if (b.cursor > 0) b.remove(b.cursor - 1, b.cursor);
        return true;
      case "\u001b[3~":
        if (b.cursor < b.chars.length) b.remove(b.cursor, b.cursor + 1);
        return true;
      case "\u000b":
        b.kill(b.cursor, b.chars.length);
        return true;
      case "\u0015":
        b.kill(0, b.cursor);
        return true;
      case "\u0017":
        b.kill(b.blankLeft(), b.cursor);
        return true;
      case "\u001b\u007f":
        b.kill(b.wordLeft(), b.cursor);
        return true;
      case "\u001bd":
        b.kill(b.cursor, b.wordRight());
        return true;
      case "\u0019":
        b.insert(b.killed);
        return true;
      case "\u0014":
        b.transpose();
        return true;
      case "\u001b.":
        b.insert(/\S+$/.exec((this.history.at(-1) ?? "").trimEnd())?.[0] ?? "");
        return true;
      default:
        return this.type(key);
    }
  }

  private type(key: string): boolean {
    if (key < " " || key.startsWith("\u001b")) return false;
    const atEnd = this.buffer.cursor === this.buffer.chars.length;
    const plain = atEnd && this.screen.fits(this.prompt, this.buffer.text, key);
    this.buffer.insert(key);
    if (plain) this.terminal.write(key);
    return !plain;
  }

  private recall(to: number): void {
    if (to < 0 || to > this.history.length) return;
    if (this.place === this.history.length) this.draft = this.buffer.text;
    this.place = to;
    this.buffer.set(this.history[to] ?? this.draft);
  }

  /** @returns false when the key ends the search and means what it means */
  private takeSearch(key: string): boolean {
    const search = this.search;
    if (!search) return false;
    if (key === "\u0012") this.find(search.at - 1);
    else if (key === "\u007f") {
      search.query = [...search.query].slice(0, -1).join("");
      this.find(this.history.length - 1);
    } else if (key === "\u0007" || key === "\u0003") {
      this.buffer.set(search.before);
      this.search = undefined;
    } else if (key >= " " && !key.startsWith("\u001b")) {
      search.query += key;
      this.find(Math.min(search.at < 0 ? this.history.length : search.at, this.history.length - 1));
    } else {
      this.search = undefined;
      this.draw();
      return key === "\u001b";
    }
    this.draw();
    return true;
  }

  private find(from: number): void {
    const search = this.search;
    if (!search) return;
    for (let at = from; at >= 0; at--) {
      const line = this.history[at] ?? "";
      const index = line.indexOf(search.query);
      if (search.query === "" || index < 0) continue;
      search.at = at;
      this.buffer.set(line);
      this.buffer.move([...line.slice(0, index)].length);
      return;
    }
    search.at = -1;
  }

  private tab(): void {
    this.tabs++;
    this.completing = true;
    const before = this.buffer.chars.slice(0, this.buffer.cursor).join("");
    this.complete(before)
      .catch((): Completion => ({ length: 0, choices: [] }))
      .then((completion) => {
        this.completing = false;
        if (!this.done) return;
        this.offer(completion);
        this.terminal.listen((key) => this.take(key));
      })
      .catch(() => undefined);
  }

  private offer({ length, choices }: Completion): void {
    const b = this.buffer;
    const typed = b.chars.slice(b.cursor - length, b.cursor).join("");
    const common = commonPrefix(choices);
    if (choices.length > 0 && (common.length > typed.length || (choices.length === 1 && common !== typed))) {
      b.remove(b.cursor - length, b.cursor);
      b.insert(common);
      this.tabs = choices.length === 1 ? 0 : 1;
      this.draw();
    } else if (choices.length > 1 && this.tabs >= 2) {
      this.screen.leave(this.prompt, b.text);
      const names = choices.slice(0, 500).map((choice) => choice.trimEnd().replace(/^.*\/(?=.)/, ""));
      for (const row of columns(names, this.terminal.size().cols)) this.terminal.write(`${row.trimEnd()}\n`);
      if (choices.length > 500) this.terminal.write(`… ${choices.length - 500} more\n`);
      this.draw();
    } else this.terminal.write("\u0007");
  }
}

function notice(apart: string): string {
  const lines = apart.split("\n").map((line) => `  ${line}`);
  return [
    "This paste looks like lines glued together. Apart they are:",
    ...lines,
    "Enter: take these lines · a: as it is · Esc: drop it",
  ].join("\n");
}
