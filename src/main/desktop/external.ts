/** Addresses outside the application: a person's own browser opens them, after a look at the whole address. */
import { dialog, shell, type BrowserWindow } from "electron";

/** What a person can still read in a dialog. */
const ADDRESS_MAX = 2000;

/** As a browser would go there; undefined: not a page of the web, or with a name and a password in it, which make one look like another. */
export function webAddress(given: string): string | undefined {
  try {
    const url = new URL(given);
    const plain = (url.protocol === "https:" || url.protocol === "http:") && url.username === "" && url.password === "";
    return plain && url.href.length <= ADDRESS_MAX ? url.href : undefined;
  } catch {
    // No address.
    return undefined;
  }
}

/** Asks, and opens it. Whatever is no page of the web is not even asked about. */
export async function openOutside(window: BrowserWindow | null, given: string): Promise<void> {
  const address = webAddress(given);
  if (address === undefined) return;
  const question = {
    type: "question" as const,
    message: "Open this address in your browser?",
    detail: address,
    buttons: ["Open in the browser", "Cancel"],
    defaultId: 1,
    cancelId: 1,
  };
  const { response } = await (window === null ? dialog.showMessageBox(question) : dialog.showMessageBox(window, question));
  if (response === 0) await shell.openExternal(address);
}
