/**
 * The README's five things, done as they are written: what is clicked, pressed, typed and run here is read from its text, at three, five and sixteen nodes, and what it promises
 * must be seen within a minute. Three nodes in any run, the larger labs with QUORATE_LONG=1.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { terminalOf, thing, votes } from "./driving.ts";
import { dropFile } from "./dropping.ts";
import { realLab, type RealLab } from "./real-lab.ts";

const PROMISED_WITHIN_MS = 60_000;
/** The lab of which the README speaks. */
const WRITTEN_FOR = 3;
const sizes = process.env["QUORATE_LONG"] === "1" ? [3, 5, 16] : [3];

const readme = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");

/** The five things, one line each. */
const things = (/^## Five things to try\n([\s\S]*?)^`quorate --help`/m.exec(readme)?.[1] ?? "")
  .split(/^\d\. /m)
  .slice(1)
  .map((text) => text.replace(/\s+/g, " ").trim());

/** What a pattern finds in a text: its first group, in order. Throws where it finds nothing. */
function saidAll(text: string, pattern: RegExp): string[] {
  const found = [...text.matchAll(pattern)].map((match) => match[1] ?? "");
  if (found.length === 0) throw new Error(`the README no longer says ${String(pattern)}: ${text}`);
  return found;
}
const said = (text: string, pattern: RegExp): string => saidAll(text, new RegExp(pattern, "g"))[0] ?? "";

/** In the middle of the cable, where a person would point. */
async function clickCable(page: Page, node: string): Promise<void> {
  const at = await thing(page, `cable:${node}:net0`).evaluate((cable) => {
    const line = cable.querySelector<SVGGeometryElement>("path, line");
    const on = line?.getPointAtLength(line.getTotalLength() / 2);
    const matrix = line?.getScreenCTM();
    if (on === undefined || matrix === null || matrix === undefined) throw new Error("the cable is not drawn");
    const { x, y } = new DOMPoint(on.x, on.y).matrixTransform(matrix);
    return { x, y };
  });
  await page.mouse.click(at.x, at.y);
  await expect(thing(page, `cable:${node}:net0`)).toHaveAttribute("aria-pressed", "true");
}

/** Which of these states are drawn at a node from now on. */
async function watchFor(page: Page, drawn: readonly string[]): Promise<() => Promise<string[]>> {
  await page.evaluate((wanted) => {
    const seen = new Set<string>();
    Object.assign(window, { seen });
    new MutationObserver(() => {
      for (const text of document.querySelectorAll("svg.topo text, .state-word, td, svg text")) {
        const label = text.textContent?.trim() ?? "";
        for (const one of wanted) if (label === one || label.startsWith(`${one} `)) seen.add(one);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  }, drawn);
  return () => page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
}

test.describe.configure({ mode: "parallel" });

test("has five of them", () => {
  expect(things.map((text) => /^\*\*(.*?)\.?\*\*/.exec(text)?.[1])).toEqual([
    "Pull a cable",
    "Ask",
    "Slow down",
    "Ask what may fail",
    "Take it home",
  ]);
});

for (const nodes of sizes)
  test(`all five, with ${nodes} nodes`, async ({ page }) => {
    test.setTimeout(6 * PROMISED_WITHIN_MS);
    const [pull = "", ask = "", slow = "", whatIf = "", home = ""] = things;
    const scratch = mkdtempSync(join(tmpdir(), "q-readme-"));
    let lab: RealLab | undefined;
    const within = { timeout: PROMISED_WITHIN_MS };
    const more = nodes - WRITTEN_FOR;
    try {
      lab = await realLab({ nodes, links: 1, speed: 1 });
      await page.goto(lab.url);
      await expect(thing(page, "node:pve1")).toBeVisible();

      // 1: the cable, the key, and the votes of both sides; where there are more nodes than in the README the larger side has them.
      await clickCable(page, said(pull, /Click `(\w+)`'s cable/));
      await page.keyboard.press(said(pull, /and press `(\w)`/));
      const [have, all] = (/with (\d) of (\d) votes/.exec(pull) ?? []).slice(1).map((number) => Number(number) + more);
      expect([have, all]).toEqual([nodes - 1, nodes]);
      await expect(votes(page)).toContainText(`${have} of ${all} votes`, within);
      const alone = said(pull, /(\w+) is alone and inquorate/);
      await expect(votes(page)).toContainText(`1 of ${all} votes`, within);
      await expect(votes(page)).toContainText("not quorate", within);
      await expect(thing(page, `node:${alone}`)).toHaveAccessibleName(/not quorate/, within);

      // 2: every line is typed in that node's terminal, and says what a node without quorum says.
      const asked = said(ask, /In (\w+)'s terminal/);
      await thing(page, `node:${asked}`).focus();
      await page.keyboard.press("Control+`");
      const terminal = terminalOf(page, asked);
      await expect(terminal).toContainText(`root@${asked}:~#`, within);
      const answers: Record<string, RegExp> = {
        pvecm: /Quorate:\s+No/,
        "corosync-quorumtool": /Quorum:\s+\d+ Activity blocked/,
        "corosync-cfgtool": /Local node ID \d+, transport knet/,
        journalctl: /corosync\[\d+\]:/,
      };
      for (const line of saidAll(ask, /`([^`]+)`/g)) {
        await page.keyboard.type(`clear; ${line}\n`);
        const answer = answers[line.split(" ")[0] ?? ""];
        if (answer === undefined) throw new Error(`what is ${line} to say?`);
        await expect(terminal).toContainText(answer, within);
      }

      // 3: it slows down by itself while the ring forms, and goes on as before.
      await thing(page, "node:pve1").focus();
      await page.keyboard.press(said(slow, /press `(\w)`/));
      await expect(page.getByRole("button", { name: said(slow, /_(Slow on change)_/) })).toHaveAttribute("aria-pressed", "true");
      const drawn = await watchFor(page, ["gather", "commit"]);
      await clickCable(page, said(slow, /click `(\w+)`'s cable/));
      await page.keyboard.press(said(slow, /and press `(\w)` again/));
      await expect(page.getByText(`slowed to ${said(slow, /slows to (×[\d.]+)/)}`).first()).toBeVisible(within);
      await expect(votes(page)).toContainText(`${all} of ${all} votes`, within);
      await expect(page.getByText(/^slowed to/)).toHaveCount(0, within);
      expect(await drawn()).toEqual(expect.arrayContaining(["gather", "commit"]));
      const [pause = "", one = ""] = (/`(\w+)` and `(.)` go event by event/.exec(slow) ?? []).slice(1);
      await thing(page, "node:pve1").focus();
      await page.keyboard.press(pause);
      await expect(page.getByRole("button", { name: "Run", exact: true })).toBeVisible(within);
      await page.keyboard.press(one);
      const region = page.getByRole("region", { name: "What happens now and next" });
      await expect(region.getByRole("status")).not.toBeEmpty(within);
      const next = page.getByRole("list", { name: "What can happen next" });
      await region.getByRole("button", { name: said(slow, /_(\w+)_ lists what can happen/) }).click();
      await expect(next.getByRole("listitem").first()).toBeVisible(within);
      // Until a packet is under way, which with an idle ring it is not at once.
      const packet = next.getByRole("button", { name: / → / }).first();
      for (let steps = 0; steps < 40 && (await packet.count()) === 0; steps++) {
        await thing(page, "node:pve1").focus();
        await page.keyboard.press(one);
      }
      await packet.click();
      await next
        .getByRole("button", { name: /^Drop / })
        .first()
        .click();
      await expect(page.getByRole("status").filter({ hasText: "packet" }).first()).toBeVisible(within);
      await thing(page, "node:pve1").focus();
      await page.keyboard.press(said(slow, /`(\w)` again turns it off/));
      await expect(page.getByRole("button", { name: "Slow on change" })).toHaveAttribute("aria-pressed", "false");
      await page.keyboard.press(pause);

      // 5 first, for 4 reads the file: the lab's own configuration goes out.
      const taken = said(home, /quorate (export --out \.\/[\w-]+)/).split(" ");
      const out = join(scratch, taken.pop()?.replace("./", "") ?? "");
      await lab.quorate(...taken, out);
      const conf = join(out, "corosync.conf");
      expect(readFileSync(conf, "utf8")).toContain("totem {");

      // 4: by the panel, and by the command line of a real node's file.
      await page.getByRole("button", { name: said(whatIf, /_([\w-]+)_ panel/) }).click();
      const panel = page.getByRole("region", { name: "What-if" });
      await expect(panel.getByRole("region", { name: "The answer" })).toContainText(/You can(not)? lose/, within);
      const question = said(whatIf, /quorate (whatif \/etc\/pve\/corosync\.conf)/).replace("/etc/pve/corosync.conf", conf);
      expect(await lab.quorate(...question.split(" "))).toMatch(/none quorate/);

      // 5, the other way round: dropped on the page, and started by the command line in a directory of its own.
      await page.getByRole("button", { name: "Topology", exact: true }).click();
      await dropFile(page, said(home, /drop a real cluster's (corosync\.conf) on the page/), readFileSync(conf, "utf8"));
      await expect(page.getByRole("textbox", { name: "corosync.conf" })).toContainText("totem", within);
      await page.getByRole("button", { name: "Replace this lab" }).click();
      await expect(thing(page, `node:pve${nodes}`)).toBeVisible(within);
      await expect(votes(page)).toContainText(`${all} of ${all} votes`, within);
      const mine = join(scratch, "mine");
      const started = said(home, /quorate (up --import \/etc\/pve\/corosync\.conf --lab \.\/mine)/);
      await lab.quorate(...started.replace("/etc/pve/corosync.conf", conf).replace("./mine", mine).split(" "));
      const { nodes: imported } = JSON.parse(await lab.quorate("status", "--lab", mine, "--json")) as { nodes: unknown[] };
      expect(imported).toHaveLength(nodes);
      await lab.quorate("rm", "--yes", "--lab", mine);
    } finally {
      await lab?.end();
      rmSync(scratch, { recursive: true, force: true });
    }
  });
