/** The app:// scheme: the page's files under an origin of their own, with the same policy as the web face. */
import { protocol } from "electron";
import { pageFile } from "../web/files.ts";
import { pageHeaders } from "../web/policy.ts";

export const pageOrigin = "app://quorate";
export const pageUrl = `${pageOrigin}/index.html`;

/** Something that is served beside the page's files. */
export interface Text {
  readonly type: string;
  read(): string;
}

/** Before the application is ready: makes app:// a scheme with an origin, as https is. */
export function announceScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** Once the application is ready: serves `dir` under app://quorate/, and `texts` by their paths. */
export function servePage(dir: string, texts: Readonly<Record<string, Text>>): void {
  protocol.handle("app", async (request) => {
    const url = new URL(request.url);
    const asked = url.host === "quorate" && request.method === "GET";
    const text = asked && Object.hasOwn(texts, url.pathname) ? texts[url.pathname] : undefined;
    if (text !== undefined) return new Response(text.read(), { status: 200, headers: { ...pageHeaders, "Content-Type": text.type } });
    const file = asked ? await pageFile(dir, url.pathname) : undefined;
    if (file === undefined)
      return new Response("no such file\n", { status: 404, headers: { ...pageHeaders, "Content-Type": "text/plain" } });
    return new Response(file.bytes, { status: 200, headers: file.headers });
  });
}
