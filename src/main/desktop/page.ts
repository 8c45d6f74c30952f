/** The app:// scheme: the page's files under an origin of their own, with the same policy as the web face. */
import { protocol } from "electron";
import { pageFile } from "../web/files.ts";
import { pageHeaders } from "../web/policy.ts";

export const pageOrigin = "app://quorate";
export const pageUrl = `${pageOrigin}/index.html`;

/** Before the application is ready: makes app:// a scheme with an origin, as https is. */
export function announceScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** Once the application is ready: serves `dir` under app://quorate/. */
export function servePage(dir: string): void {
  protocol.handle("app", async (request) => {
    const url = new URL(request.url);
    const file = url.host === "quorate" && request.method === "GET" ? await pageFile(dir, url.pathname) : undefined;
    if (file === undefined)
      return new Response("no such file\n", { status: 404, headers: { ...pageHeaders, "Content-Type": "text/plain" } });
    return new Response(file.bytes, { status: 200, headers: file.headers });
  });
}
