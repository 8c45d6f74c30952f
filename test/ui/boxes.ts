/** Finds text that runs out of its box, or lies on another's: measured in the page, for whatever is drawn there. */
import type { Page } from "@playwright/test";

/** One line for each text that does. Scrolled text is where it should be; text with an ellipsis has its tooltip. */
export async function misplacedTexts(page: Page): Promise<string[]> {
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        requestAnimationFrame(() => requestAnimationFrame(() => done()));
      }),
  );
  return await page.evaluate(() => {
    interface Box {
      left: number;
      top: number;
      right: number;
      bottom: number;
    }
    const slack = 1.5;
    const found = new Set<string>();
    const boxOf = (rect: DOMRect): Box => ({ left: rect.left, top: rect.top, right: rect.right, bottom: rect.bottom });
    const common = (a: Box, b: Box): Box => ({
      left: Math.max(a.left, b.left),
      top: Math.max(a.top, b.top),
      right: Math.min(a.right, b.right),
      bottom: Math.min(a.bottom, b.bottom),
    });
    const empty = (box: Box): boolean => box.right - box.left < 0.5 || box.bottom - box.top < 0.5;
    const said = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, 50);
    const regionOf = (element: Element): string => element.closest<HTMLElement>("[data-region]")?.dataset["region"] ?? "page";
    const skipped = ".xterm, .unseen, [data-region=timeline] .lanes, .cm-editor, [aria-hidden=true]";
    const clips = (style: CSSStyleDeclaration): boolean => style.overflowX !== "visible" || style.overflowY !== "visible";

    // What is written in HTML: inside its box, or cut off by an ellipsis or by something that scrolls.
    const texts: { text: string; box: Box; region: string; element: Element }[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const parent = node.parentElement;
      const text = node.textContent ?? "";
      if (parent === null || text.trim() === "" || parent.closest(skipped) !== null || parent.closest("svg") !== null) continue;
      if (["SCRIPT", "STYLE", "OPTION", "SELECT", "TITLE"].includes(parent.tagName)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const rects = [...range.getClientRects()].map(boxOf).filter((box) => !empty(box));
      const style = getComputedStyle(parent);
      if (style.visibility === "hidden" || style.opacity === "0") continue;
      for (const rect of rects) {
        let seen = rect;
        let framed = false;
        let forgiven = false;
        for (let one: Element | null = parent; one !== null && one !== document.body; one = one.parentElement) {
          const its = getComputedStyle(one);
          const box = boxOf(one.getBoundingClientRect());
          const clipping = clips(its);
          if (its.textOverflow === "ellipsis" && clipping) forgiven = true;
          const scrolls = /auto|scroll/.test(`${its.overflowX}${its.overflowY}`);
          // A line is no box: what is written at a mark stands beside it.
          const frame =
            box.right - box.left > 4 &&
            (its.borderTopWidth !== "0px" || its.borderLeftWidth !== "0px" || !/^rgba\(0, 0, 0, 0\)$/.test(its.backgroundColor));
          const out = seen.left < box.left - slack || seen.right > box.right + slack;
          if (out && !forgiven && !scrolls && ((frame && !framed && its.display !== "inline") || clipping))
            found.add(
              `${regionOf(parent)}: "${said(text)}" runs out of ${one.tagName.toLowerCase()}.${String(one.className).slice(0, 30)}`,
            );
          if (frame) framed = true;
          if (clipping) seen = common(seen, box);
          if (scrolls) forgiven = true;
        }
        if (!empty(seen)) {
          if (seen.right > innerWidth + slack) found.add(`${regionOf(parent)}: "${said(text)}" leaves the window`);
          texts.push({ text, box: seen, region: regionOf(parent), element: parent });
        }
      }
    }
    // What an ellipsis cuts off is said by a tooltip.
    for (const { element, text, region } of texts) {
      const cut = element.closest<HTMLElement>("*");
      if (cut === null || getComputedStyle(cut).textOverflow !== "ellipsis" || cut.scrollWidth <= cut.clientWidth + 1) continue;
      if (cut.closest("[title]") === null) found.add(`${region}: "${said(text)}" is cut off, and no tooltip says it`);
    }
    // What is drawn: each text inside the shape it belongs to.
    const inside = (texts: string, shape: string): void => {
      for (const text of document.querySelectorAll<SVGTextElement>(texts)) {
        const frames = [...(text.closest("g[data-key], g.tab, g.belieftab")?.querySelectorAll(shape) ?? [])].map((one) =>
          boxOf(one.getBoundingClientRect()),
        );
        const box = boxOf(text.getBoundingClientRect());
        if (frames.length > 0 && !frames.some((frame) => box.left >= frame.left - slack && box.right <= frame.right + slack))
          found.add(`canvas: "${said(text.textContent)}" runs out of its ${shape}`);
      }
    };
    inside(".topo .machine text", ".body");
    inside(".topo .switch rect ~ text", "rect.body");
    inside(".topo .tab text, .topo .belieftab text", "rect");
    const drawn = [...document.querySelectorAll<SVGTextElement>(".topo text")].map((text) => ({
      text: text.textContent,
      box: boxOf(text.getBoundingClientRect()),
      region: "canvas",
      element: text as Element,
    }));
    const canvas = document.querySelector(".topo")?.getBoundingClientRect();
    for (const { text, box } of drawn)
      if (
        canvas !== undefined &&
        (box.left < canvas.left - slack ||
          box.right > canvas.right + slack ||
          box.top < canvas.top - slack ||
          box.bottom > canvas.bottom + slack)
      )
        found.add(`canvas: "${said(text)}" leaves the canvas`);
    // No text lies on another one, nor on a port of its switch.
    const all = [...texts, ...drawn].filter(({ box }) => !empty(box));
    const lies = (a: Box, b: Box): boolean => {
      const both = common(a, b);
      return both.right - both.left > 2 && both.bottom - both.top > 3;
    };
    for (const [index, a] of all.entries())
      for (const b of all.slice(index + 1))
        if (
          a.element !== b.element &&
          a.region === b.region &&
          lies(a.box, b.box) &&
          !a.element.contains(b.element) &&
          !b.element.contains(a.element) &&
          !over(a.element, b.element)
        )
          found.add(`${a.region}: "${said(a.text)}" and "${said(b.text)}" lie on each other`);
    for (const port of document.querySelectorAll(".topo .switch .port"))
      for (const { text, box, element } of drawn)
        if (
          port.closest(".switch") === element.closest(".switch") &&
          element.closest(".switch") !== null &&
          lies(box, boxOf(port.getBoundingClientRect()))
        )
          found.add(`canvas: "${said(text)}" lies on a port`);
    /** A card or a sticky heading is above what it covers. */
    function over(a: Element, b: Element): boolean {
      const above = (one: Element): Element | null => one.closest(".card, thead, .over, [role=status], [role=menu], [role=dialog]");
      return above(a) !== above(b);
    }
    return [...found].sort();
  });
}
