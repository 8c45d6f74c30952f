/** The console as a person meets it: prompt, keys, history, completion, pastes, Ctrl-C, a machine that goes away and comes back. */
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { KeyReader } from "../../src/main/shell/console/keys.ts";
import { splitGlued } from "../../src/main/shell/console/paste.ts";
import { ConsoleSession } from "../../src/main/shell/console/session.ts";
import { Terminal } from "../../src/main/shell/console/terminal.ts";
import { isIncomplete } from "../../src/main/shell/interpreter/syntax.ts";
import { Machine } from "./machine.ts";

const UP = "\u001b[A";
const CTRL = { a: "\u0001", c: "\u0003", d: "\u0004", e: "\u0005", k: "\u000b", r: "\u0012", u: "\u0015", w: "\u0017", y: "\u0019" };

type Power = { power: "on" | "off" | "stalled"; booting: boolean; powerSince: number };

/** What stands on the screen after the control sequences the console uses. */
function screenOf(sent: string): string {
  const lines: string[] = [""];
  let [row, col] = [0, 0];
  for (const m of sent.matchAll(/\u001b\[(\??[\d;]*)([A-Za-z])|\r|\n|\u0008|\u0007|([^\u001b])/gu)) {
    const n = Number(m[1] || "1");
    if (m[0] === "\r") col = 0;
    else if (m[0] === "\n") {
      row++;
      col = 0;
      while (lines.length <= row) lines.push("");
    } else if (m[0] === "\b") col = Math.max(0, col - 1);
    else if (m[2] === "A") row = Math.max(0, row - n);
    else if (m[2] === "B") row += n;
    else if (m[2] === "C") col += n;
    else if (m[2] === "J") {
      lines.length = row + 1;
      lines[row] = (lines[row] ?? "").slice(0, col);
    } else if (m[3] !== undefined) {
      const line = (lines[row] ?? "").padEnd(col);
      lines[row] = line.slice(0, col) + m[3] + line.slice(col + 1);
      col++;
    }
  }
  return lines
    .map((line) => line.trimEnd())
    .join("\n")
    .trimEnd();
}

class Console {
  readonly input = new PassThrough();
  readonly machine = new Machine();
  power: Power = { power: "on", booting: false, powerSince: 0 };
  sent = "";
  readonly ended: Promise<number>;

  constructor() {
    const terminal = new Terminal({ input: this.input, write: (text) => (this.sent += text), size: () => ({ cols: 80, rows: 24 }) });
    // Of the lab only the power of the machine is asked here.
    const client = { call: () => Promise.resolve({ nodes: [{ name: "pve1", ...this.power }] }) } as unknown as ConstructorParameters<
      typeof ConsoleSession
    >[0];
    this.ended = new ConsoleSession(client, this.machine, terminal).interact();
  }

  get screen(): string {
    return screenOf(this.sent);
  }

  type(text: string): void {
    this.input.write(text);
  }

  /** Until the screen holds `text`. */
  async sees(text: string): Promise<void> {
    for (let n = 0; n < 400 && !this.screen.includes(text); n++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(this.screen).toContain(text);
  }

  /** Types and waits until the screen shows it and nothing moves. */
  async typed(text: string): Promise<string> {
    this.type(text);
    let before = "";
    for (let quiet = 0; quiet < 4; before = this.sent) {
      await new Promise((resolve) => setTimeout(resolve, 8));
      quiet = this.sent === before ? quiet + 1 : 0;
    }
    return this.screen;
  }
}

let open: Console | undefined;

async function prompt(): Promise<Console> {
  open = new Console();
  await open.sees("root@pve1:~#");
  return open;
}

afterEach(() => {
  open?.input.end();
  open = undefined;
});

describe("typing", () => {
  it("a command, its output, the next prompt; the directory shows in the prompt", async () => {
    const c = await prompt();
    expect(await c.typed("pvecm status | grep Quorate:\r")).toBe(
      "root@pve1:~# pvecm status | grep Quorate:\nQuorate:          Yes\nroot@pve1:~#",
    );
    expect(await c.typed("cd /etc; x=kept\r")).toContain("root@pve1:/etc#");
    expect(await c.typed("echo $x; f() { echo in f; }\rf\r")).toMatch(/kept\n[^]*in f\n/);
  });

  it("emacs keys", async () => {
    const c = await prompt();
    expect(await c.typed(`cho one two${CTRL.a}e${CTRL.e} three${CTRL.w}3\r`)).toContain("\none two 3\n");
    expect(await c.typed(`echo wrong${CTRL.u}echo right\r`)).toContain("\nright\n");
    expect(await c.typed(`echo a b${CTRL.w}${CTRL.y}${CTRL.y}\r`)).toContain("\na bb\n");
    expect(await c.typed(`echo lost\u001b[D\u001b[D\u001b[D\u001b[D${CTRL.k}kept\r`)).toContain("\nkept\n");
  });

  it("history with the arrow and with Ctrl-R", async () => {
    const c = await prompt();
    await c.typed("echo first\recho second\r");
    expect(await c.typed(UP)).toMatch(/# echo second$/);
    expect(await c.typed(UP)).toMatch(/# echo first$/);
    await c.typed(CTRL.u);
    expect(await c.typed(`${CTRL.r}fir`)).toMatch(/\(reverse-i-search\)`fir': echo first$/);
    expect((await c.typed("\r")).split("\nfirst\n").length).toBe(3);
    expect(await c.typed("history | tail -n 2\r")).toMatch(/ 3 {2}echo first\n +4 {2}history \| tail -n 2/);
  });

  it("an open construct asks on, and Ctrl-C gives it up", async () => {
    const c = await prompt();
    expect(await c.typed("for i in 1 2\rdo echo n$i\r")).toMatch(/> do echo n\$i\n>$/);
    expect(await c.typed("done\r")).toContain("n1\nn2\nroot@pve1:~#");
    expect(await c.typed(`echo "open\r${CTRL.c}`)).toMatch(/\^C\nroot@pve1:~#$/);
    expect(await c.typed("cat <<EOF\rtext $HOME\rEOF\r")).toContain("\ntext /root\n");
  });

  it("completion: commands, options of the tables, files, a list on the second Tab", async () => {
    const c = await prompt();
    expect(await c.typed("corosync-q\t")).toMatch(/# corosync-quorumtool$/);
    expect(await c.typed(`${CTRL.u}pvecm st\t`)).toMatch(/# pvecm status$/);
    expect(await c.typed(`${CTRL.u}cat /etc/hos\t`)).toMatch(/# cat \/etc\/host$/);
    expect(await c.typed("\t")).toMatch(/hostname {2}hosts\nroot@pve1:~# cat \/etc\/host$/);
    expect(await c.typed("s\t\r")).toContain("127.0.0.1 localhost\n");
    expect(await c.typed(`cd /r\t`)).toMatch(/# cd \/ro$/);
    expect(await c.typed("\t")).toMatch(/ro\/ {2}root\/\n/);
  });

  it("a long line wraps and can be edited across the edge", async () => {
    const c = await prompt();
    const long = "echo " + "x".repeat(90);
    const shown = await c.typed(`${long}${CTRL.a}\u001b[C\u001b[C\u001b[C\u001b[C y`);
    expect(shown.split("\n").map((line) => line.length)).not.toContain(0);
    expect(await c.typed("\r")).toContain(`y${" ".repeat(1)}${"x".repeat(60)}`.slice(0, 20));
  });
});

describe("while a command runs", () => {
  it("Ctrl-C ends it and the line, and the status is 130", async () => {
    const c = await prompt();
    c.type("stubborn; echo never\r");
    await new Promise((resolve) => setTimeout(resolve, 50));
    c.type(CTRL.c);
    await c.sees("^C\nroot@pve1:~#");
    expect(await c.typed("echo $?\r")).toContain("\n130\n");
    expect(c.screen).not.toContain("\nnever");
  });

  it("input is echoed and read by the command; what is typed ahead is for the prompt", async () => {
    const c = await prompt();
    expect(await c.typed('read a b; echo "<$b $a>"\rone two\r')).toContain("one two\n<two one>\n");
    expect(await c.typed(`cat\rline\r${CTRL.d}`)).toContain("line\nline\nroot@pve1:~#");
    expect(await c.typed("sleep 0.1\recho ahead\r")).toContain("\nahead\n");
  });

  it("a password is not shown", async () => {
    const c = await prompt();
    await c.typed("pveadd 10.0.0.11\r");
    await c.typed("quorate\r");
    await c.typed("yes\r");
    await c.sees("answers: quorate, yes");
    expect(c.screen.replace("answers: quorate", "")).not.toContain("quorate");
    await c.typed("read -s -p 'pw: ' p; echo [$p]\r");
    expect(await c.typed("secret\r")).toContain("pw: [secret]");
  });

  it("less shows a page and gives the screen back", async () => {
    const c = await prompt();
    await c.typed("seq 100 | less\r");
    expect(c.sent).toContain("\u001b[?1049h");
    await c.typed("Gq");
    expect(c.sent).toContain("(END)");
    expect(c.sent).toContain("\u001b[?1049l");
    expect(await c.typed("echo back\r")).toContain("\nback\n");
  });

  it("background jobs are announced, and their end too", async () => {
    const c = await prompt();
    expect(await c.typed("sleep 0.01 &\r")).toMatch(/\[1\] \d+/);
    expect(await c.typed("\r\r")).toMatch(/\[1\]\+ {2}Done {20}sleep 0\.01/);
  });
});

describe("errors and ends", () => {
  it("an error of the shell ends the line, not the shell", async () => {
    const c = await prompt();
    expect(await c.typed("set -u; echo $nope; echo not this\recho alive $?\r")).toMatch(/nope: unbound variable\n[^]*\nalive 1\n/);
    expect(c.screen).not.toContain("\nnot this");
    expect(await c.typed("fi\r")).toContain("syntax error near unexpected token `fi'");
  });

  it("exit, and Ctrl-D on an empty line", async () => {
    const c = await prompt();
    c.type("exit 3\r");
    expect(await c.ended).toBe(3);
    expect(c.screen).toMatch(/logout$/);
    const d = await prompt();
    d.type(CTRL.d);
    expect(await d.ended).toBe(0);
  });

  it("a machine that loses its power says so; when it is back there is a new shell", async () => {
    const c = await prompt();
    await c.typed("x=old\r");
    c.power = { power: "off", booting: false, powerSince: 5 };
    await c.sees("pve1 is powered off. This terminal is back when it is.");
    c.power = { power: "on", booting: true, powerSince: 6 };
    await c.sees("pve1 is booting.");
    c.power = { power: "on", booting: false, powerSince: 6 };
    await c.sees("pve1 is back.");
    expect(await c.typed("echo [$x]\r")).toContain("\n[]\n");
  });

  it("a machine that only stood still comes back with the same shell", async () => {
    const c = await prompt();
    await c.typed("x=kept\r");
    c.power = { power: "stalled", booting: false, powerSince: 5 };
    await c.sees("pve1 is stalled: nothing on it answers.");
    c.power = { power: "on", booting: false, powerSince: 6 };
    await c.sees("pve1 is back.");
    expect(await c.typed("echo [$x]\r")).toContain("\n[kept]\n");
  });

  it("the terminal going away ends the console", async () => {
    const c = await prompt();
    c.input.end();
    expect(await c.ended).toBe(0);
  });
});

describe("pastes", () => {
  const paste = (text: string): string => `\u001b[200~${text}\u001b[201~`;

  it("several lines are shown and wait for Enter", async () => {
    const c = await prompt();
    expect(await c.typed(paste("echo one\necho two\n"))).toMatch(/# echo one\necho two$/);
    expect(await c.typed("\r")).toContain("\none\ntwo\n");
  });

  it("glued lines are offered apart, and nothing of them runs before", async () => {
    const c = await prompt();
    const shown = await c.typed(paste("pvecm status# On the next node\npvecm nodes"));
    expect(shown).toContain("glued together");
    expect(shown).not.toContain("Quorate:");
    expect(await c.typed("\r")).toMatch(/# pvecm status\n# On the next node\npvecm nodes$/);
    expect(await c.typed("\r")).toContain("Quorate:          Yes");
  });

  it("Escape drops such a paste", async () => {
    const c = await prompt();
    await c.typed(paste("pvecm nodes# Then look"));
    c.type("\u001b");
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await c.typed("echo clean\r")).toContain("\nclean\n");
    expect(c.screen).not.toContain("Quorate:");
  });

  it("seams are found where they are, and nowhere else", () => {
    expect(splitGlued("pvecm create my-cluster# On node 2:pvecm add 10.0.0.11")).toBe(
      "pvecm create my-cluster\n# On node 2:\npvecm add 10.0.0.11",
    );
    expect(splitGlued("ping pve2systemctl status corosync")).toBe("ping pve2\nsystemctl status corosync");
    for (const fine of [
      "pvecm status # a comment",
      "echo 'a# B is fine'",
      'echo "x# Then this"',
      "echo ${x#Prefix word} ${#x} $#",
      "cat /usr/bin/pvecm status",
      "sed s#a#b# file",
      "watch 'pvecm status'",
      "for n in a b; do pvecm nodes; done",
      "curl http://x/#Fragment",
      "echo a#b",
    ]) {
      expect(splitGlued(fine)).toBe(fine);
    }
  });
});

describe("the parts", () => {
  it("keys come whole however the bytes were cut", () => {
    const text = `a\u001b[Ab\u001b[1;5Cé\u001b[200~p\r\nq\u001b[201~\u001bOHz`;
    const whole = new KeyReader().push(text);
    for (let cut = 1; cut < text.length; cut++) {
      const reader = new KeyReader();
      expect([...reader.push(text.slice(0, cut)), ...reader.push(text.slice(cut))]).toEqual(whole);
    }
    expect(whole.map((key) => key.text)).toEqual(["a", "\u001b[A", "b", "\u001b[1;5C", "é", "p\nq", "\u001bOH", "z"]);
  });

  it("what a terminal answers is no key, however the bytes were cut", () => {
    const [end, bell] = ["\u001b\\", "\u0007"];
    const answers = [`P1$r0m${end}`, `]11;rgb:fafa/0000/ffff${bell}`, `]4;1;rgb:1/2/3${end}`, `_G${end}`, `^p${end}`, `Xs${end}`];
    const text = `a${answers.map((answer) => `\u001b${answer}`).join("")}b\u001b[>0;276;0c\u001b[?1;2$yc`;
    const whole = ["a", "b", "\u001b[>0;276;0c", "\u001b[?1;2$y", "c"];
    for (let cut = 0; cut < text.length; cut++) {
      const reader = new KeyReader();
      const keys = [...reader.push(text.slice(0, cut)), ...reader.push(text.slice(cut))];
      expect(keys.map((key) => key.text)).toEqual(whole);
    }
    // The rest of one comes late; a key with Alt is one all the same.
    const late = new KeyReader();
    expect([...late.push("\u001bP1$r"), ...late.flush(), ...late.push(`0m${end}x`), ...late.push("\u001bP")]).toMatchObject([
      { text: "x" },
    ]);
    expect(late.flush()).toEqual([{ kind: "key", text: "\u001bP" }]);
  });

  it("a line is complete or not", () => {
    for (const open of [
      'echo "a',
      "echo 'a",
      "a &&",
      "a |",
      "if true",
      "if true; then",
      "for i in a; do",
      "while x; do y",
      "case x in",
      "f() {",
      "( a",
      "echo $(a",
      "cat <<E\nx",
      "a \\",
      "[[ a ==",
      "{ a",
    ]) {
      expect([open, isIncomplete(open)]).toEqual([open, true]);
    }
    for (const closed of [
      "echo a",
      "fi",
      "a && ;",
      "echo )",
      "echo >",
      "cat <<E\nx\nE",
      "if true; then x; fi",
      "a;; b",
      "| a",
      "echo a\\\\",
    ]) {
      expect([closed, isIncomplete(closed)]).toEqual([closed, false]);
    }
  });
});
