/** The doors of a lab: one's own file comes in and becomes a lab, a change of it is safe, the page goes and comes back, and takes its terminals along. */
import { createServer, type Server } from "node:http";
import { expect, test, type Page } from "@playwright/test";
import { WebSocketServer } from "ws";
import { dropFile } from "./dropping.ts";
import { fakeLab, type FakeLab } from "./fake-lab.ts";
import { healthy, partition } from "./fixtures.ts";
import { openFake, show, staticDir, terminalOf, thing, typedInto, votes } from "./driving.ts";
import { realLab, type RealLab } from "./real-lab.ts";

let lab: FakeLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const banner = (page: Page) => page.getByRole("alert").first();
const tabs = (page: Page) => page.getByRole("tablist", { name: "Terminals, journal, problems" }).getByRole("tab");

test.describe("import", () => {
  test("a file that falls on the picture becomes the lab, in its place", async ({ page }) => {
    lab = await openFake(page, healthy());
    await dropFile(page, "mine.conf", "totem {\n  version: 2\n}\n");
    // The node's own file, which Configure asks for as it opens, comes after it or before it and is not put in its place.
    await expect(page.getByRole("textbox", { name: "corosync.conf" })).toContainText("version: 2");
    await expect(page.getByRole("textbox", { name: "corosync.conf" })).not.toContainText("nodelist");
    await expect(page.getByText("quorate up --import")).toHaveCount(0);
    await page.getByRole("button", { name: "Replace this lab" }).click();
    await expect
      .poll(() => lab?.asked.find(({ op }) => op === "import"))
      .toEqual({ op: "import", text: "totem {\n  version: 2\n}\n", name: "mine.conf" });
    await expect(thing(page, "node:pve1")).toBeVisible();
    await expect(page.getByRole("status").getByText("imported mine.conf: 3 machines")).toBeVisible();
  });

  test("a file that corosync refuses is not opened: the line, and the text kept", async ({ page }) => {
    lab = await openFake(page, healthy());
    await dropFile(page, "mine.conf", "totem {\n  tokn: 2\n}\n");
    const findings = page.getByRole("complementary", { name: "Findings" });
    await expect(findings).toContainText("error, line 2, column 3");
    await expect(findings.getByRole("button", { name: "Replace this lab" })).toHaveCount(0);
    await expect(page.getByRole("textbox", { name: "corosync.conf" })).toContainText("tokn: 2");
  });
});

test.describe("a changed corosync.conf", () => {
  test("who has which, what a reload takes, and a version that was not raised", async ({ page }) => {
    lab = await openFake(page, healthy());
    await page.getByRole("button", { name: "Configure" }).click();
    const plan = page.getByRole("region", { name: "What a change takes" });
    await expect(plan.getByRole("row", { name: /^3 pve1 the same/ })).toBeVisible();
    await expect(plan.getByRole("row", { name: /^3 pve2 and pve3/ })).toContainText("2 keys differ");
    await expect(plan).toContainText("Taken by a reload");
    await expect(plan).toContainText("Needs a restart of corosync");
    await expect(plan.getByRole("alert")).toContainText("config_version was not raised");
  });

  test("findings are counted by kind, errors come first; what is written is said to be on disk alone", async ({ page }) => {
    lab = await openFake(page, healthy());
    lab.findings = [
      { severity: "note", code: "single-link", line: 1, column: 1, text: "one link alone", mend: "" },
      { severity: "warning", code: "short-token", line: 4, column: 3, text: "token is short", mend: "" },
      { severity: "error", code: "unknown-key", line: 9, column: 3, text: "totem has no key tokn", mend: "" },
    ];
    await page.getByRole("button", { name: "Configure" }).click();
    const counts = page.getByRole("region", { name: "Configure" }).getByRole("status");
    await expect(counts).toHaveText("1 error, 1 warning, 1 note");
    const findings = page.getByRole("complementary", { name: "Findings" }).getByRole("button", { name: /, line \d+, column/ });
    await expect(findings).toHaveText([/^\s*error, line 9/, /^\s*warning, line 4/, /^\s*note, line 1/]);
    // A note alone is no green tick.
    lab.findings = lab.findings.slice(0, 1);
    await page.getByRole("textbox", { name: "corosync.conf" }).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("# seen");
    await expect(counts).toHaveText("1 note");
    await expect(counts).not.toHaveClass(/\bok\b/);
    await page
      .getByRole("button", { name: "Write on pve1" })
      .or(page.getByRole("button", { name: "Write on pve2" }))
      .click();
    await expect(page.getByRole("status").locator(".toast")).toHaveText(
      /corosync\.conf written on pve\d; a running corosync does not have it before a reload or a restart/,
    );
  });

  test("a command is typed and never run", async ({ page }) => {
    lab = await openFake(page, healthy());
    await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
    await page.getByRole("button", { name: "Configure" }).click();
    await page.getByRole("button", { name: "systemctl restart corosync · pve1" }).click();
    await expect(terminalOf(page, "pve1")).toContainText("systemctl restart corosync");
    expect(typedInto(lab)).toMatch(/systemctl restart corosync$/);
    await expect(terminalOf(page, "pve1")).not.toContainText("you typed: systemctl");
    await expect(page.getByRole("button", { name: "systemctl restart corosync · pve1" })).toHaveAttribute(
      "title",
      "Types it into pve1’s terminal; Enter is yours",
    );
  });
});

test.describe("the page and its lab", () => {
  test("a lab that does not answer is said so within 3 s; an act is refused, and everything goes on by itself", async ({ page }) => {
    lab = await openFake(page, healthy());
    await thing(page, "node:pve3").focus();
    lab.stall(true);
    const from = Date.now();
    await expect(banner(page)).toContainText("The lab does not answer.", { timeout: 6_000 });
    // What the page measures is 2.5 s and a look; the rest is this computer's.
    expect(Date.now() - from).toBeLessThan(4_500);
    await expect(banner(page)).toContainText("as of 00:02:41");
    await expect(page.locator(".app")).toHaveClass(/stale/);
    await page.keyboard.press("x");
    await expect(page.getByRole("status").getByText("the lab does not answer; nothing was done")).toBeVisible();
    lab.stall(false);
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(page.locator(".app")).not.toHaveClass(/stale/);
    expect(lab.asked.filter(({ op }) => op === "act")).toEqual([]);
  });

  test("an act that was sent into the silence says that it waits", async ({ page }) => {
    lab = await openFake(page, healthy());
    await thing(page, "node:pve3").focus();
    lab.stall(true);
    await page.keyboard.press("x");
    await expect(page.getByRole("status").getByText("what you did last is done when it does")).toBeVisible();
    lab.stall(false);
    await expect(page.getByRole("status").getByText("link cut pve3:net0")).toBeVisible();
  });

  test("a terminal that the lab refuses is asked for once", async ({ page }) => {
    lab = await openFake(page, healthy(), { refuse: ({ op }) => (op === "terminal-open" ? "no terminal is free" : undefined) });
    const opened = (): number => lab?.asked.filter(({ op }) => op === "terminal-open").length ?? 0;
    await expect(page.getByText("no terminal is free").first()).toBeVisible();
    const after = opened();
    // Many snapshots of the same nodes, each drawn.
    for (let n = 0; n < 3; n++) await show(page, lab, healthy());
    expect([opened(), after]).toEqual([after, 1]);
  });

  test("killed and taken down are told apart, with what brings each back", async ({ page }) => {
    lab = await openFake(page, healthy());
    const { port, hash } = new URL(lab.url);
    await lab.close();
    await expect(banner(page)).toContainText("quorate up --lab");
    await expect(banner(page)).toContainText("(or quorate serve) starts it again: every node powers on from its disk");
    lab = await fakeLab(staticDir, healthy(), undefined, { port: Number(port), token: hash.slice(1) });
    await expect(page.getByRole("alert")).toHaveCount(0);
    lab.emit({ event: "gone", reason: "the lab was taken down", frozen: true });
    await lab.close();
    await expect(banner(page)).toContainText("resumes it at that instant");
    // No state keeps its colour, and whoever does not want to wait for the next attempt need not: after some it is seconds away.
    await expect(page.locator("main")).toHaveCSS("filter", "grayscale(1)");
    for (let attempt = 0; attempt < 3; attempt++) await page.waitForEvent("websocket");
    lab = await fakeLab(staticDir, healthy(), undefined, { port: Number(port), token: hash.slice(1) });
    const [, tried] = await Promise.all([
      page.getByRole("button", { name: "Try now" }).click(),
      page.waitForEvent("websocket", { timeout: 2_500 }),
    ]);
    expect(tried.url()).toContain(port);
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(page.locator("main")).toHaveCSS("filter", "none");
  });

  test("whoever has the port meanwhile learns nothing, shows nothing, and the page comes back to the lab", async ({ page }) => {
    lab = await openFake(page, healthy());
    const { port, hash } = new URL(lab.url);
    const token = hash.slice(1);
    await lab.close();
    lab = undefined;
    const stranger = await pretender(Number(port));
    await expect.poll(() => stranger.heard.length, { timeout: 30_000 }).toBeGreaterThan(1);
    await expect(banner(page)).toContainText("Another program answers at this port, not this lab");
    await thing(page, "node:pve3").focus();
    await page.keyboard.press("x");
    await page.keyboard.press("k");
    await expect(page.getByRole("status").getByText("the lab is not connected; nothing was done")).toBeVisible();
    const heard = stranger.heard.join("\n");
    expect(heard).not.toContain(token);
    expect(stranger.heard.map((text) => (JSON.parse(text) as { request: { op: string } }).request.op)).toEqual(
      stranger.heard.map(() => "challenge"),
    );
    await expect(thing(page, "node:stranger")).toHaveCount(0);
    await stranger.close();
    lab = await fakeLab(staticDir, partition(), undefined, { port: Number(port), token });
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(votes(page).getByRole("img")).toHaveCount(2);
  });
});

/** Somebody who has the lab's port: says yes to everything, and shows a lab of his own. */
async function pretender(port: number): Promise<{ heard: string[]; close(): Promise<void> }> {
  const heard: string[] = [];
  const server: Server = createServer((_, response) => response.end("hello"));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    const foreign = healthy();
    for (const node of foreign.nodes) node.name = "stranger";
    socket.send(JSON.stringify({ event: "snapshot", snapshot: foreign }));
    socket.on("message", (data: Buffer) => {
      heard.push(data.toString());
      const { id } = JSON.parse(data.toString()) as { id: number };
      socket.send(JSON.stringify({ id, ok: true, result: { nonce: "0".repeat(32), proof: "0".repeat(64), secret: "mine" } }));
    });
  });
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  return {
    heard,
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

test.describe("terminals", () => {
  test("one for each of five nodes; one whose node goes, goes", async ({ page }) => {
    const five = healthy(5);
    lab = await openFake(page, five);
    await expect(tabs(page).filter({ hasText: "pve" })).toHaveCount(5);
    const four = healthy(5);
    four.nodes = four.nodes.filter(({ name }) => name !== "pve3");
    four.cables = four.cables.filter(({ node }) => node !== "pve3");
    lab.show(four);
    await expect(tabs(page).filter({ hasText: "pve" })).toHaveCount(4);
    await expect(tabs(page).filter({ hasText: "pve3" })).toHaveCount(0);
  });

  test("two stand side by side, each with its own focus, and one alone again", async ({ page }) => {
    lab = await openFake(page, healthy());
    await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
    await page.getByRole("button", { name: "Two terminals side by side" }).click();
    await expect(terminalOf(page, "pve2")).toContainText("root@pve2");
    await expect(terminalOf(page, "pve1")).toBeVisible();
    await page.keyboard.type("uptime\r");
    await expect(terminalOf(page, "pve2")).toContainText("you typed: uptime");
    // A tab that is clicked comes in the place of the one that had the focus.
    await tabs(page).filter({ hasText: "pve3" }).click();
    await expect(terminalOf(page, "pve3")).toContainText("root@pve3");
    await expect(terminalOf(page, "pve1")).toBeVisible();
    await expect(terminalOf(page, "pve2")).toHaveCount(0);
    await page.getByRole("button", { name: "Two terminals side by side" }).click();
    await expect(terminalOf(page, "pve3")).toHaveCount(0);
  });

  test("one in a window of its own is a session of its own, which its reload finds again; it tells when its node is gone", async ({
    page,
  }) => {
    lab = await openFake(page, healthy());
    await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
    await tabs(page).filter({ hasText: "pve3" }).click();
    await expect(terminalOf(page, "pve3")).toContainText("root@pve3");
    const opened = page.waitForEvent("popup");
    await page.getByRole("button", { name: "A terminal of pve3 in a window of its own" }).click();
    const beside = await opened;
    await expect(terminalOf(beside, "pve3")).toContainText("root@pve3");
    await expect(beside).toHaveTitle("pve3 — lab");
    await expect(beside.locator("[data-terminal]")).toHaveCount(1);
    await beside.keyboard.type("echo apart\r");
    await expect(terminalOf(beside, "pve3")).toContainText("you typed: echo apart");
    await expect(terminalOf(page, "pve3")).not.toContainText("echo apart");
    expect(lab.asked.filter(({ op }) => op === "terminal-open")).toHaveLength(3);
    await beside.reload();
    await expect(terminalOf(beside, "pve3")).toContainText("you typed: echo apart");
    expect(lab.asked.filter(({ op }) => op === "terminal-open")).toHaveLength(3);
    const without = healthy();
    without.nodes = without.nodes.filter(({ name }) => name !== "pve3");
    lab.show(without);
    await expect(beside.getByRole("status")).toContainText("There is no pve3 in this lab.");
    await beside.close();
    // A browser that lets no page open windows is no silent one.
    await page.evaluate(() => (window.open = () => null));
    await page.getByRole("button", { name: "A terminal of pve1 in a window of its own" }).click();
    await expect(page.getByText("the browser does not let this page open a window")).toBeVisible();
  });

  test("the first command stands once, and a page that is loaded again types nothing and finds its tabs", async ({ page }) => {
    lab = await openFake(page, healthy());
    await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
    await page.getByRole("button", { name: "Two terminals side by side" }).click();
    await expect(terminalOf(page, "pve2")).toContainText("root@pve2");
    await page.keyboard.type("echo half a line");
    await expect(terminalOf(page, "pve2")).toContainText("echo half a line");
    const before = typedInto(lab);
    await page.reload();
    await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
    await expect(terminalOf(page, "pve2")).toContainText("echo half a line");
    expect(typedInto(lab)).toBe(before);
    expect(lab.asked.filter(({ op }) => op === "terminal-open")).toHaveLength(2);
  });
});

test.describe("what-if", () => {
  test("sets of one kind are said once, and a row can be tried in the lab", async ({ page }) => {
    lab = await openFake(page, healthy(3, 1));
    await page.getByRole("button", { name: "What-if" }).click();
    const sets = page.getByRole("region", { name: "Smallest failures that break quorum" });
    await expect(sets.getByRole("row", { name: /^any two cables 3/ })).toHaveCount(1);
    await expect(sets.getByRole("row", { name: /cable pve1:net0 \+ cable pve2:net0/ })).toHaveCount(0);
    await sets.getByRole("button", { name: "Lose switch net0 in this lab now" }).click();
    await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "switch off net0" });
    await expect(thing(page, "node:pve1")).toBeVisible();
    // A set of two is one act, which one undo takes back.
    await page.getByRole("button", { name: "What-if" }).click();
    await sets
      .getByRole("row", { name: /^any two nodes 3/ })
      .getByRole("button")
      .click();
    await expect.poll(() => lab?.lastAsked()).toEqual({ op: "acts", lines: ["node kill pve1", "node kill pve2"] });
  });

  test("a set with a qnetd that is not there has no outcome, and nothing moves with a change", async ({ page }) => {
    lab = await openFake(page, healthy(3, 1));
    await page.getByRole("button", { name: "What-if" }).click();
    const matrix = page.getByRole("region", { name: "How much may go" });
    await expect(matrix).toBeVisible();
    const before = await matrix.boundingBox();
    await page.getByRole("group", { name: "QDevice" }).getByRole("button", { name: "ffsplit" }).click();
    const sets = page.getByRole("region", { name: "Smallest failures that break quorum" });
    await expect(sets.getByRole("row", { name: /qnetd/ }).first()).toBeVisible();
    for (const row of await sets.getByRole("row", { name: /qnetd/ }).all()) {
      await expect(row.getByRole("cell").nth(2)).toHaveText("no qnetd");
      await expect(row.getByRole("cell").nth(3)).toHaveText("no qnetd");
    }
    const after = await matrix.boundingBox();
    expect([after?.x, after?.width]).toEqual([before?.x, before?.width]);
    expect(after?.y ?? 0).toBeLessThan(500);
  });
});

test.describe("export", () => {
  test("what speaks against it is acknowledged before anything is saved; the README reads as a page", async ({ page }) => {
    lab = await openFake(page, healthy());
    await page.keyboard.press("Control+Shift+E");
    const dialog = page.getByRole("dialog");
    const save = dialog.getByRole("button", { name: "Save all 2 files" });
    await expect(save).toBeDisabled();
    await dialog.getByRole("checkbox").first().check();
    await expect(save).toBeDisabled();
    await dialog.getByRole("checkbox").nth(1).check();
    await expect(save).toBeEnabled();
    await dialog.getByRole("button", { name: "README.md", exact: true }).click();
    await expect(dialog.getByRole("heading", { name: "Cluster lab" })).toBeVisible();
    await expect(dialog.getByRole("region", { name: "README.md" })).not.toContainText("##");
  });
});

test.describe("in front of a real lab", () => {
  let real: RealLab;
  test.beforeAll(async () => {
    real = await realLab({ nodes: 2, links: 1, speed: 10 });
  });
  test.afterAll(async () => {
    const labs = JSON.parse(await real.quorate("ls", "--json")) as { lab: string; name: string }[];
    for (const { lab: dir, name } of labs) if (name === "mine") await real.quorate("rm", "--yes", "--lab", dir);
    await real.end();
  });

  const own = `totem {
  version: 2
  cluster_name: mine
  config_version: 4
  secauth: on
  ip_version: ipv4-6
}
nodelist {
  node {
    name: hv-a01
    nodeid: 1
    quorum_votes: 1
    ring0_addr: 10.20.0.1
  }
  node {
    name: hv-witness
    nodeid: 2
    quorum_votes: 1
    ring0_addr: 10.20.0.2
  }
}
quorum {
  provider: corosync_votequorum
}
`;

  test("a running program, what it has put out and half a line outlive the page", async ({ page }) => {
    await page.goto(real.url);
    const terminal = terminalOf(page, "pve1");
    await expect(terminal).toContainText("Quorate:");
    expect((await terminal.innerText()).match(/pvecm status/g)).toHaveLength(1);
    await page.locator('[data-terminal="pve1"] .xterm-helper-textarea').focus();
    await page.keyboard.type("for i in 1 2 3 4 5 6 7 8 9; do echo beat $i; sleep 10; done\r");
    await expect(terminal).toContainText("beat 1");
    await page.reload();
    await expect(terminal).toContainText("beat 1");
    await expect(terminal).toContainText("beat 9");
    expect((await terminal.innerText()).match(/pvecm status/g)).toHaveLength(1);
  });

  test("one's own file replaces the lab with one undo, and opens a lab of its own", async ({ page }) => {
    await page.goto(real.url);
    await expect(thing(page, "node:pve1")).toBeVisible();
    await dropFile(page, "mine.conf", own);
    await page.getByRole("button", { name: "Replace this lab" }).click();
    await expect(thing(page, "node:hv-witness")).toBeVisible();
    await expect(thing(page, "node:pve1")).toHaveCount(0);
    await expect(votes(page)).toContainText("2 of 2 votes, 2 needed, quorate");
    await thing(page, "node:hv-a01").focus();
    await page.keyboard.press("Control+z");
    await expect(thing(page, "node:pve1")).toBeVisible();
    await expect(thing(page, "node:hv-witness")).toHaveCount(0);

    await dropFile(page, "mine.conf", own);
    await page.getByRole("button", { name: "Open a new lab" }).click();
    await page.waitForURL((url) => url.port !== new URL(real.url).port, { timeout: 60_000 });
    await expect(thing(page, "node:hv-witness")).toBeVisible();
    expect(new URL(page.url()).hash).toBe("");
    const listed = JSON.parse(await real.quorate("ls", "--json")) as { lab: string; name: string; running: boolean }[];
    const made = listed.find(({ name }) => name === "mine");
    expect(made?.running).toBe(true);
  });
});
