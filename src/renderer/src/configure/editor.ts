/** The editor for corosync.conf: CodeMirror with its keys and values told apart, line numbers, and the lab's own findings as marks. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { linter, lintGutter, type Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  MatchDecorator,
  ViewPlugin,
  drawSelection,
  highlightActiveLine,
  keymap,
  lineNumbers,
  type ViewUpdate,
} from "@codemirror/view";
import type { Finding } from "../../../main/lab/api.ts";

/** Section names, keys before the colon, comments: all there is to tell apart in a corosync.conf. */
const decorator = new MatchDecorator({
  regexp: /^(?<lead>\s*)(?:(?<comment>#.*)|(?<section>[\w.]+)(?=\s*\{)|(?<key>[\w.]+)(?=\s*:))/gm,
  decorate(add, from, to, match) {
    const { lead = "", comment, section } = match.groups ?? {};
    add(
      from + lead.length,
      to,
      Decoration.mark({ class: comment === undefined ? (section === undefined ? "conf-key" : "conf-section") : "conf-comment" }),
    );
  },
});

const colouring = ViewPlugin.define(
  (view) => ({
    marks: decorator.createDeco(view),
    update(update: ViewUpdate): void {
      this.marks = decorator.updateDeco(update, this.marks);
    },
  }),
  { decorations: ({ marks }) => marks },
);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "12px", backgroundColor: "var(--canvas)", color: "var(--ink)" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "18px" },
  ".cm-gutters": { backgroundColor: "var(--canvas)", color: "var(--ink-3)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--hover) 55%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  "&.cm-focused": { outline: "var(--stroke-focus) solid var(--focus)", outlineOffset: "-2px" },
  ".conf-section": { color: "var(--ring-1)", fontWeight: "600" },
  ".conf-key": { color: "var(--ink-2)" },
  ".conf-comment": { color: "var(--ink-3)", fontStyle: "italic" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", border: "1px solid var(--line-strong)", color: "var(--ink)" },
  ".cm-diagnostic": { fontFamily: "var(--font-ui)", fontSize: "12px" },
});

export interface ConfEditor {
  text(): string;
  set(text: string): void;
  /** Puts the cursor on a finding's place (1-based). */
  goTo(line: number, column: number): void;
  destroy(): void;
}

export interface ConfEditorOptions {
  parent: HTMLElement;
  label: string;
  check(text: string): Promise<readonly Finding[]>;
  changed(text: string): void;
}

const quietMs = 250;

/** Makes the editor. `check` is asked a moment after the last change. */
export function makeEditor({ parent, label, check, changed }: ConfEditorOptions): ConfEditor {
  const at = (state: EditorState, line: number, column: number): { from: number; to: number } => {
    const here = state.doc.line(Math.max(1, Math.min(state.doc.lines, line)));
    return { from: Math.min(here.to, here.from + Math.max(0, column - 1)), to: here.to };
  };
  const checker = linter(
    async (view): Promise<Diagnostic[]> => {
      const findings = await check(view.state.doc.toString());
      return findings.map(({ line, column, severity, text, mend }) => ({
        ...at(view.state, line, column),
        severity: severity === "note" ? "info" : severity,
        message: mend === "" ? text : `${text}. ${mend}`,
      }));
    },
    { delay: quietMs },
  );
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        bracketMatching(),
        highlightActiveLine(),
        colouring,
        checker,
        keymap.of([...defaultKeymap, ...historyKeymap]),
        look,
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    goTo(line, column) {
      const { from } = at(view.state, line, column);
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
