/** A file that falls on the page, as the browser tells of it. */
import type { Page } from "@playwright/test";

export async function dropFile(page: Page, name: string, text: string): Promise<void> {
  const data = await page.evaluateHandle(
    ([called, content]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content ?? ""], called ?? ""));
      return transfer;
    },
    [name, text],
  );
  await page.dispatchEvent("main", "drop", { dataTransfer: data });
}
