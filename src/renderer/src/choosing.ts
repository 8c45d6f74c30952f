/** What a chosen menu item, button or line of the palette does. */
import type { Choice } from "./acting.ts";
import type { Page } from "./context.ts";

export function choose({ lab, place }: Pick<Page, "lab" | "place">, choice: Choice): void {
  if (choice.line !== undefined) void lab.act(choice.line);
  // A menu that closes takes the focus back; the dialog opens after that.
  else if (choice.ask !== undefined) setTimeout(() => (place.asking = choice.ask));
  else setTimeout(() => (place.tool = choice.tool));
}
