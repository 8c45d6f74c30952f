/** Who may come in: only a page with the token, under our own name. */
import { connect } from "node:net";
import { expect, test } from "@playwright/test";
import { fakeLab, type FakeLab } from "./fake-lab.ts";
import { healthy } from "./fixtures.ts";
import { staticDir } from "./driving.ts";

let lab: FakeLab;
test.beforeAll(async () => {
  lab = await fakeLab(staticDir, healthy());
});
test.afterAll(async () => {
  await lab.close();
});

const address = (): URL => new URL(lab.url);

/** The first line a server answers a raw request with. */
function statusLine(lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(address().port), "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    let text = "";
    socket.on("data", (data) => {
      text += data.toString();
      if (!text.includes("\r\n")) return;
      socket.destroy();
      resolve(text.split("\r\n")[0] ?? "");
    });
    socket.on("error", reject);
    socket.on("end", () => resolve(text));
  });
}

const upgrade = (headers: readonly string[]): string[] => [
  "GET /socket HTTP/1.1",
  ...headers,
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

test("an address without a token is told so and draws nothing", async ({ page }) => {
  await page.goto(address().origin);
  await expect(page.getByRole("alert")).toContainText("did not let this page in");
  await expect(page.getByText("carries no token")).toBeVisible();
  await expect(page.getByRole("group", { name: /^Topology/ })).toHaveCount(0);
});

test("a wrong token is refused and not tried again", async ({ page }) => {
  await page.goto(`${address().origin}/#not-the-token`);
  await expect(page.getByText("wrong token")).toBeVisible();
  await expect(page.getByRole("group", { name: /^Topology/ })).toHaveCount(0);
});

test("the token leaves the address once the page is in, and the page comes back without it", async ({ page }) => {
  await page.goto(`${address().origin}/?renderer=dom${address().hash}`);
  await expect(page.getByRole("group", { name: /^Topology/ })).toBeVisible();
  expect(page.url()).toBe(`${address().origin}/?renderer=dom`);
  expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(2);
  // Nothing that whoever serves this address later could read: a name, and a key that is only used.
  const kept = await page.evaluate(async () => {
    const request = indexedDB.open("quorate");
    await new Promise((done) => (request.onsuccess = done));
    const all = request.result.transaction("keys").objectStore("keys").getAll();
    await new Promise((done) => (all.onsuccess = done));
    request.result.close();
    const text = [...Object.values(sessionStorage), ...Object.values(localStorage), document.cookie].join("\n");
    return { text, keys: (all.result as { key: CryptoKey }[]).map(({ key }) => [key.extractable, key.usages]) };
  });
  expect(kept.text).not.toContain(address().hash.slice(1));
  expect(kept.keys).toEqual([[false, ["sign"]]]);
  await page.reload();
  await expect(page.getByRole("group", { name: /^Topology/ })).toBeVisible();
  // Another address in the same tab counts.
  await page.evaluate(() => (location.hash = "not-the-token"));
  await expect(page.getByText("wrong token")).toBeVisible();
});

test("a page of another origin gets no socket", async () => {
  const host = `Host: 127.0.0.1:${address().port}`;
  expect(await statusLine(upgrade([host, "Origin: http://evil.example"]))).toBe("HTTP/1.1 403 Forbidden");
  expect(await statusLine(upgrade([host, `Origin: ${address().origin}`]))).toBe("HTTP/1.1 101 Switching Protocols");
});

test("another name for this computer gets neither page nor socket", async () => {
  expect(await statusLine(["GET / HTTP/1.1", "Host: evil.example"])).toBe("HTTP/1.1 403 Forbidden");
  expect(await statusLine(upgrade(["Host: evil.example"]))).toBe("HTTP/1.1 403 Forbidden");
});
