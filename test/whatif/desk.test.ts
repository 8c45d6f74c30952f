/** What a page asks a running lab: the design on the disks, varied, answered beside the lab's own time; a later question supersedes an earlier one. */
import { describe, expect, it } from "vitest";
import { parseConf } from "../../src/engine/config/index.ts";
import { utf8 } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { variedConf } from "../../src/main/lab/whatif/conf-variant.ts";
import { designNow, variedDesign, WhatIfDesk } from "../../src/main/lab/whatif/whatif-session.ts";

function world(nodes: number): World {
  const lab = defaultLabFile({ nodes, links: 1, clustered: true, name: "desk", seed: "desk", epoch: "2026-01-01T00:00:00Z" });
  return new World(worldDesign(lab), makeNode);
}

describe("asking a running lab", { timeout: 120_000 }, () => {
  it("answers for now and as varied, and says what changes", async () => {
    const reply = await new WhatIfDesk().ask(world(2), { twoNode: true });
    expect(reply.now.atOnce.survivesAny).toEqual({ nodes: 0, networks: 0, qnetd: 0, links: 0 });
    expect(reply.varied?.atOnce.survivesAny).toEqual({ nodes: 1, networks: 0, qnetd: 0, links: 0 });
    expect(reply.varied?.atOnce.splitting[0]).toEqual(["network:net0"]);
    expect(reply.changes).toContainEqual({ way: "atOnce", what: "nodes", now: 0, varied: 1 });
  });

  it("reads the files as they are on the disks now", () => {
    const running = world(3);
    const path = "/etc/corosync/corosync.conf";
    running.runUntil(20_000_000);
    running.act({ to: "machine", machine: "pve1", act: { kind: "file-write", path, data: utf8("totem {\n}\n"), append: false } });
    const file = designNow(running).machines[0]?.files.find((f) => f.path === path);
    expect(file?.data).toEqual(utf8("totem {\n}\n"));
  });

  it("a later question supersedes the one before; a closed desk answers nothing", async () => {
    const desk = new WhatIfDesk();
    const first = desk.ask(world(16), undefined);
    const said = expect(first).rejects.toThrow("superseded by a later question");
    const second = desk.ask(world(1), undefined);
    await said;
    expect((await second).now.nodes).toBe(1);
    const third = desk.ask(world(16), undefined);
    const closed = expect(third).rejects.toThrow("the lab is closing");
    desk.close();
    await closed;
  });

  it("says which of the two is no question", async () => {
    const lone = new World(
      worldDesign(defaultLabFile({ nodes: 1, links: 1, clustered: false, name: "lone", seed: "1", epoch: "2026-01-01T00:00:00Z" })),
      makeNode,
    );
    await expect(new WhatIfDesk().ask(lone, undefined)).rejects.toThrow(/^no machine of the lab has a corosync.conf/);
    await expect(new WhatIfDesk().ask(world(2), { twoNode: true, qdevice: "ffsplit" })).rejects.toThrow(/^as varied: pve1: .*two_node/);
  });
});

describe("a varied corosync.conf", () => {
  const lab = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "vary", seed: "vary", epoch: "2026-01-01T00:00:00Z" });
  const text = confOf(lab) ?? "";
  const value = (conf: string, name: string): string | undefined => parseConf(conf).values.get(name)?.text;

  it("options and votes are set, everything else stays", () => {
    const conf = variedConf(text, { waitForAll: true, autoTieBreaker: false, votes: { pve2: 3 } }, "");
    expect(value(conf, "quorum.wait_for_all")).toBe("1");
    expect(value(conf, "quorum.auto_tie_breaker")).toBe("0");
    expect(value(conf, "nodelist.node.1.quorum_votes")).toBe("3");
    expect(value(conf, "nodelist.node.0.quorum_votes")).toBe("1");
    expect(value(conf, "totem.token_coefficient")).toBe("125");
    expect(variedConf(text, {}, "")).toBe(text);
  });

  it("a QDevice is put in with the votes pvecm gives it, and taken out", () => {
    const conf = variedConf(text, { qdevice: "lms" }, "10.0.0.100");
    expect(value(conf, "quorum.device.votes")).toBe("2");
    expect(value(conf, "quorum.device.net.host")).toBe("10.0.0.100");
    expect(value(conf, "quorum.device.net.algorithm")).toBe("lms");
    expect(value(variedConf(conf, { qdevice: "none" }, ""), "quorum.device.model")).toBeUndefined();
    expect(value(variedConf(conf, { qdevice: "ffsplit" }, "10.0.0.100"), "quorum.device.votes")).toBe("1");
  });

  it("a lab without a qnetd host gets one for the question", () => {
    const varied = variedDesign(worldDesign(lab), { qdevice: "ffsplit" });
    expect(varied.machines.at(-1)).toMatchObject({ kind: "qnetd", name: "qnetd", nics: [{ net: "net0", address: "10.0.0.100" }] });
  });
});
