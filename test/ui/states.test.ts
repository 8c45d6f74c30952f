/** The states that are not the happy one, drawn from written snapshots. */
import { expect, test } from "@playwright/test";
import { beforeLossOf } from "../../src/main/lab/api.ts";
import { openFake, staticDir, terminalOf, thing, typedInto, votes } from "./driving.ts";
import { fakeLab, type FakeLab } from "./fake-lab.ts";
import { broken, empty, gather, healthy, optioned, partition, sixteen, sixteenWitnessed, witnessedSplit } from "./fixtures.ts";

// Each test has a lab of its own.
test.describe.configure({ mode: "parallel" });

let lab: FakeLab | undefined;
test.afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

test("a partition: a region, a letter and a bar for each ring; one-way cuts in words", async ({ page }) => {
  lab = await openFake(page, partition());
  await expect(votes(page).getByRole("img")).toHaveCount(2);
  await expect(page.getByRole("group", { name: /^Topology/ })).toHaveAccessibleName(/ring 1\.16: pve1, pve2.*ring 3\.16: pve3/);
  await expect(thing(page, "cable:pve3:net0")).toHaveAccessibleName(/cut both ways/);
  await expect(thing(page, "cable:pve3:net1")).toHaveAccessibleName(/nothing comes in, out passes/);
  await expect(page.getByText("in: cut", { exact: true })).toBeVisible();
  await expect(page.getByText("out: passes", { exact: true })).toBeVisible();
});

test("gather: no ring, a hollow tab for each belief, and one event at a time", async ({ page }) => {
  lab = await openFake(page, gather());
  await expect(votes(page)).toContainText("No ring");
  await expect(page.getByText("pve1 sees pve1 and pve2", { exact: true })).toBeVisible();
  await expect(page.getByText("pve2 still sees pve1, pve2 and pve3", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "One event ." }).click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "step", unit: "event", count: 1 });
});

test("a node that is off is dark and says since when; its terminal offers the power switch", async ({ page }) => {
  lab = await openFake(page, broken());
  await expect(thing(page, "node:pve2")).toHaveAccessibleName("pve2, powered off, since 00:02:31");
  await thing(page, "node:pve2").click();
  await page.getByRole("complementary", { name: "Inspector" }).getByRole("button", { name: "Power on" }).first().click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "node start pve2" });
});

test("corosync failed: the journal's own lines, and the way to the line of the configuration", async ({ page }) => {
  lab = await openFake(page, broken());
  await thing(page, "node:pve3").click();
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await expect(inspector).toContainText("corosync: failed");
  await expect(inspector).toContainText("parse error in config: Line 4: Missing closing brace");
  await page.getByRole("button", { name: "2 problems" }).click();
  await page.getByRole("region", { name: "Problems" }).getByRole("button", { name: "pve3" }).click();
  await expect(page.getByRole("textbox", { name: "corosync.conf" })).toBeVisible();
});

test("sixteen nodes stand in a circle with the table beside", async ({ page }) => {
  lab = await openFake(page, sixteen());
  await expect(page.getByRole("table", { name: "Machines of the lab" }).getByRole("row")).toHaveCount(17);
  await expect(page.getByText("15 of 16", { exact: true })).toBeVisible();
  await expect(thing(page, "cable:pve5:net0")).toHaveAccessibleName(/cut-in|nothing comes in/);
});

test("the quorum device in a split: whose side has its vote, and who does not reach it", async ({ page }) => {
  lab = await openFake(page, witnessedSplit());
  await expect(votes(page)).toContainText("3 of 5 votes (1 of the QDevice), 3 needed, quorate");
  await expect(votes(page).getByTitle("vote of the QDevice", { exact: true })).toHaveCount(1);
  await expect(votes(page).getByTitle("vote of the QDevice, not given here")).toHaveCount(1);
  await expect(votes(page)).toContainText("QDevice gives this side no vote");
  await expect(thing(page, "node:qnetd")).toHaveAccessibleName(/3 of 4 connected, vote to 1 2/);
  await thing(page, "node:pve4").click();
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await expect(inspector).toContainText("NA,NV,NMW");
  await inspector.getByRole("tab", { name: "quorum" }).click();
  await inspector.getByRole("button", { name: "corosync-qdevice-tool -sv" }).click();
  await expect(terminalOf(page, "pve4")).toContainText("corosync-qdevice-tool -sv");
});

test("options are named where they decide, and nodes that do not fit are marked", async ({ page }) => {
  lab = await openFake(page, optioned());
  await expect(votes(page)).toContainText("wait_for_all");
  await expect(votes(page)).toContainText("waits for all: 2 of 4 seen");
  await expect(votes(page)).toContainText("the side with node 1 (pve1) goes on, not this one");
  await expect(thing(page, "node:pve4")).toHaveAccessibleName(/other authkey/);
  await expect(thing(page, "node:pve2")).toHaveAccessibleName(/other token/);
  await thing(page, "node:pve1").click();
  const inspector = page.getByRole("complementary", { name: "Inspector" });
  await expect(inspector).toContainText("pve4's authkey differs from pve1's");
  await inspector.getByRole("tab", { name: "quorum" }).click();
  await expect(inspector).toContainText(/last_man_standing\s*window of 10 s ends at/);
});

test("sixteen nodes and the host of the quorum device", async ({ page }) => {
  lab = await openFake(page, sixteenWitnessed());
  await expect(thing(page, "node:qnetd")).toHaveAccessibleName(/15 of 15 connected, vote to 15 nodes/);
  await expect(page.getByText("16 of 17", { exact: true })).toBeVisible();
});

test("an empty lab says so, and how it is filled", async ({ page }) => {
  lab = await openFake(page, empty());
  await expect(page.getByText("No machine is in this lab.")).toBeVisible();
  await page.getByRole("button", { name: "Add a machine" }).click();
  await page.getByRole("button", { name: "Add", exact: true }).last().click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "node add pve1" });
});

test("the process of a machine is lost: back to before, power on again, save the record", async ({ page }) => {
  const lost = healthy();
  for (const node of lost.nodes)
    if (node.name === "pve2") Object.assign(node, { worker: "lost", power: "off", corosync: null, quorum: null });
  lab = await openFake(page, lost);
  const banner = page.getByRole("alert");
  await expect(banner).toContainText("The lab itself failed. The process of pve2 is lost.");
  await banner.getByRole("button", { name: "Back to before" }).click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "rollback", name: beforeLossOf("pve2") });
  await banner.getByRole("button", { name: "Power on again" }).click();
  await expect.poll(() => lab?.lastAsked()).toEqual({ op: "act", line: "node start pve2" });
  const saved = page.waitForEvent("download");
  await banner.getByRole("button", { name: "Save the record" }).click();
  expect((await saved).suggestedFilename()).toBe("lab-7f3a.record");
});

test("slower than asked is said in the time bar", async ({ page }) => {
  const slow = healthy();
  slow.time.achieved = 0.6;
  lab = await openFake(page, slow);
  await expect(page.getByTitle("The lab runs slower than asked")).toHaveText("×0.6");
});

test("the lab is gone: a banner, the last state stays, and it comes back", async ({ page }) => {
  lab = await openFake(page, healthy());
  lab.emit({ event: "gone", reason: "quorate down" });
  await lab.close();
  await expect(page.getByRole("alert")).toContainText("The lab is gone.");
  await expect(page.getByRole("alert")).toContainText("quorate down");
  await expect(thing(page, "node:pve1")).toBeVisible();
  // The same address answers again: the page finds it by itself and its terminals begin anew.
  const { port, hash } = new URL(lab.url);
  lab = await fakeLab(staticDir, partition(), undefined, { port: Number(port), token: hash.slice(1) });
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(votes(page).getByRole("img")).toHaveCount(2);
  await expect.poll(() => lab?.asked.some(({ op }) => op === "terminal-open")).toBe(true);
});

test("a broken invariant is a failure of the lab itself, with seed and record", async ({ page }) => {
  lab = await openFake(page, healthy());
  lab.emit({ event: "notice", severity: "error", text: "Two components are quorate at once." });
  const banner = page.getByRole("alert");
  await expect(banner).toContainText("The lab itself failed.");
  await expect(banner).toContainText("Two components are quorate at once. Seed 7f3a");
  const saved = page.waitForEvent("download");
  await banner.getByRole("button", { name: "Save the record" }).click();
  expect((await saved).suggestedFilename()).toBe("lab-7f3a.record");
});

test("a refused act is one line with its reason", async ({ page }) => {
  lab = await openFake(page, healthy(), { refuse: ({ op }) => (op === "act" ? "switch net0 is off already" : undefined) });
  await thing(page, "node:pve3").focus();
  await page.keyboard.press("k");
  await expect(page.getByText("switch net0 is off already")).toBeVisible();
});

test("a file with an error is not imported: the list with its line, the text kept", async ({ page }) => {
  lab = await openFake(page, healthy());
  await page.getByRole("button", { name: "Configure" }).click();
  await page
    .getByLabel("Load my cluster’s file")
    .setInputFiles({ name: "mine.conf", mimeType: "text/plain", buffer: Buffer.from("totem {\n  tokn: 1000\n}\n") });
  const findings = page.getByRole("complementary", { name: "Findings" });
  await expect(findings).toContainText("Corosync refuses this file: 1 error below");
  await expect(findings.getByRole("button", { name: "Replace this lab" })).toHaveCount(0);
  await expect(findings).toContainText("error, line 2, column 3");
  await expect(page.getByRole("textbox", { name: "corosync.conf" })).toContainText("tokn: 1000");
  await page
    .getByLabel("Load my cluster’s file")
    .setInputFiles({ name: "mine.conf", mimeType: "text/plain", buffer: Buffer.from("totem {\n}\n") });
  await expect(findings.getByRole("button", { name: "Replace this lab" })).toBeVisible();
});

test("the token rests at speed and travels in slow motion", async ({ page }) => {
  lab = await openFake(page, healthy());
  await expect(page.getByText("1.7 rotations/s, rests at pve1")).toBeVisible();
  const slow = healthy();
  slow.time.speed = 0.01;
  lab.show(slow);
  await expect(page.getByRole("button", { name: "Speed ×0.01" })).toBeVisible();
  lab.emit({
    event: "trace",
    events: [{ instant: 1, node: "pve1", trace: { what: "token", from: 1, to: 2, seq: 41, retransmits: 0, ring: "1.12" } }],
  });
  await expect(page.getByText("seq 41")).toBeVisible();
});

test("a section's command is typed into the node's terminal, and Enter is the person's", async ({ page }) => {
  lab = await openFake(page, healthy());
  await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
  const command = page.getByRole("button", { name: "corosync-cfgtool -n" });
  await expect(command).toHaveAttribute("title", "Types it into the terminal; Enter is yours");
  await command.click();
  await expect(terminalOf(page, "pve2")).toContainText("corosync-cfgtool -n");
  expect(typedInto(lab)).toMatch(/corosync-cfgtool -n$/);
  // It has the focus: one key runs it.
  await expect(page.locator('[data-terminal="pve2"] .xterm-helper-textarea')).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(terminalOf(page, "pve2")).toContainText("you typed: corosync-cfgtool -n");
});

test("terminals are drawn by a graphics card where one says that it is there, else with plain elements", async ({ page }) => {
  const canvases = page.locator('[data-terminal="pve1"] .xterm-screen canvas');
  const opened = async (): Promise<void> => {
    await lab?.close();
    lab = await openFake(page, healthy());
    await expect(terminalOf(page, "pve1")).toContainText("Cluster information");
  };
  const named = (name: string): Promise<unknown> =>
    page.addInitScript((card) => {
      const asked = Reflect.get(WebGL2RenderingContext.prototype, "getParameter") as (
        this: WebGL2RenderingContext,
        what: number,
      ) => unknown;
      const UNMASKED_RENDERER_WEBGL = 0x9246;
      WebGL2RenderingContext.prototype.getParameter = function (what: number): unknown {
        return what === UNMASKED_RENDERER_WEBGL ? card : asked.call(this, what);
      };
    }, name);
  await named("ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)");
  await opened();
  await expect(canvases).toHaveCount(0);
  await named("ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)");
  await opened();
  expect(await canvases.count()).toBeGreaterThan(0);
});
