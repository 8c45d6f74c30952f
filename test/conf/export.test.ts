/** The export: the newest corosync.conf of the lab byte for byte, and a README a person can follow; refused where real hosts would refuse it. */
import { describe, expect, test } from "vitest";
import { utf8, type QueryReply } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { exportLab } from "../../src/main/lab/file/export.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { Trouble } from "../../src/main/lab/trouble.ts";
import { replace } from "./good.ts";

const lab = defaultLabFile({ nodes: 3, links: 2, clustered: true, name: "two rings", seed: "1", epoch: "2026-01-01T00:00:00Z" });
const original = confOf(lab) ?? "";

/** A lab whose nodes have these files on their disks; undefined: none. */
function disks(texts: Record<string, string | undefined>): Pick<World, "names" | "query"> {
  return {
    names: Object.keys(texts),
    query: (name): QueryReply => {
      const text = texts[name];
      return text === undefined ? { kind: "error", errno: "ENOENT" } : { kind: "file", data: utf8(text) };
    },
  };
}

function exported(world: Pick<World, "names" | "query">): { conf: string; readme: string } {
  const files = exportLab(lab, world);
  expect(files.map((f) => [f.path, f.mode])).toEqual([
    ["corosync.conf", 0o644],
    ["README.md", 0o644],
  ]);
  return { conf: files[0]?.text ?? "", readme: files[1]?.text ?? "" };
}

function refusal(world: Pick<World, "names" | "query">): string {
  try {
    exportLab(lab, world);
  } catch (error) {
    if (error instanceof Trouble) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "exported";
}

describe("export", () => {
  test("a new cluster, from the nodes' own disks", () => {
    const { conf, readme } = exported(new World(worldDesign(lab), makeNode));
    expect(conf).toBe(original);
    for (const line of [
      "| pve2 | 2 | 1 | 10.0.0.12 | 10.10.1.12 |",
      "- [ ] pve2, link 1: `10.10.1.12` is the lab's own default, not an address anybody chose",
      "pve3# pvecm add 10.0.0.11 --nodeid 3 --link0 10.0.0.13 --link1 10.10.1.13",
    ]) {
      expect(readme.split("\n")).toContain(line);
    }
    expect(readme).toContain("5405/udp (link 0), 5406/udp (link 1)");
    expect(readme).toContain("corosync-keygen");
  });

  test("what Proxmox VE wrote goes the way of Proxmox VE first, any other file the plain one", () => {
    const order = (text: string): string[] =>
      exported(disks({ pve1: text })).readme.match(/^## (On Proxmox VE hosts|With plain corosync)$/gm) ?? [];
    expect(order(original)).toEqual(["## On Proxmox VE hosts", "## With plain corosync"]);
    const plain = replace(
      replace(original, "  ip_version: ipv4-6\n", ""),
      "  secauth: on\n",
      "  crypto_cipher: aes256\n  crypto_hash: sha256\n",
    );
    expect(order(plain)).toEqual(["## With plain corosync", "## On Proxmox VE hosts"]);
  });

  test("addresses somebody chose are not flagged; examples and host names are", () => {
    const real = ["11", "12", "13"].reduce(
      (t, n) => replace(replace(t, `10.0.0.${n}`, `172.20.4.${n}`), `10.10.1.${n}`, `172.20.5.${n}`),
      original,
    );
    expect(exported(disks({ pve1: real })).readme).toContain("No placeholder among the addresses.");
    const odd = replace(replace(real, "172.20.4.12", "192.0.2.12"), "172.20.4.13", "pve3.example.com");
    const { readme } = exported(disks({ pve1: odd }));
    expect(readme).toContain("`192.0.2.12` is from 192.0.2.0/24, a network for examples");
    expect(readme).toContain("`pve3.example.com` is a host name");
    const six = ["11", "12"].reduce((t, n) => replace(t, `172.20.5.${n}`, `fd12:3456::${n}`), replace(real, "172.20.5.13", "pve3-storage"));
    expect(exported(disks({ pve1: six })).readme).toContain("| pve3 | 3 | 1 | 172.20.4.13 | pve3-storage |");
  });

  test("where files differ the highest config_version is exported, and who lags is named", () => {
    const newer = replace(original, "config_version: 3", "config_version: 4");
    const { conf, readme } = exported(disks({ pve1: original, pve2: newer, pve3: undefined }));
    expect(conf).toBe(newer);
    expect(readme).toContain("In the lab pve1 had another `corosync.conf`");
  });

  test("no cluster, or a file real corosync refuses: one line, nothing exported", () => {
    expect(refusal(disks({ pve1: undefined }))).toBe("failed: no node of this lab has /etc/corosync/corosync.conf; form a cluster first");
    const twice = replace(original, "nodeid: 2", "nodeid: 1");
    expect(refusal(disks({ pve1: twice }))).toBe(
      "failed: real corosync refuses the file of pve1: /etc/corosync/corosync.conf:16:13: Nodeid 1 appears twice in corosync.conf",
    );
  });
});
