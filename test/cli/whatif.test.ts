/** quorate whatif: the answer as a sentence and as JSON, and one line for what is no question. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { complaint, newPlace, type Place } from "./quorate.ts";

let place: Place;
beforeAll(() => {
  place = newPlace();
});
afterAll(() => place.end());

function file(name: string, text: string): string {
  const path = join(place.dir, name);
  writeFileSync(path, text);
  return path;
}

const conf = (nodes: number): string => `totem {
  version: 2
  cluster_name: lab
}
nodelist {
${Array.from({ length: nodes }, (_, i) => `  node {\n    name: pve${i + 1}\n    nodeid: ${i + 1}\n    ring0_addr: 10.0.0.${11 + i}\n  }\n`).join("")}}
quorum {
  provider: corosync_votequorum
}
`;

const labYaml = `quorate: 1
networks: { net0: 10.0.0.0/24 }
nodes:
  pve1: { net0: 10.0.0.11 }
  pve2: { net0: 10.0.0.12, power: off }
cluster: { name: lab }
faults: [ link cut pve2:net0 ]
`;

describe("quorate whatif", { timeout: 120_000 }, () => {
  it("says it in words, then the smallest sets, then how many nodes", async () => {
    const out = await place.ok("whatif", file("three.conf", conf(3)));
    const lines = out.split("\n");
    expect(lines[0]).toBe("You can lose any one node. You cannot lose network net0. You can lose any one cable.");
    expect(out).toMatch(/\nnetwork:net0 +yes +yes\n/);
    expect(out).toMatch(/\nnodes lost {2}sets {2}quorate {2}none quorate {2}two quorate {2}never settles\n +0 +1 +1 +0 +0 +0\n/);
  });

  it("--json has the shape that is written down", async () => {
    const answer: unknown = JSON.parse(await place.ok("whatif", file("three.conf", conf(3)), "--json"));
    const half = {
      survivesAny: { nodes: 1, networks: 0, qnetd: 0, links: 1 },
      killing: expect.arrayContaining([["network:net0"], ["node:pve1", "node:pve2"]]) as unknown,
      splitting: [],
    };
    expect(answer).toMatchObject({ sentence: expect.any(String) as string, atOnce: half, oneAfterAnother: half });
  });

  it("a lab file; what of it plays no part is said", async () => {
    const ran = await place.run(["whatif", file("two.yaml", labYaml), "--json"]);
    expect(ran.status).toBe(0);
    expect(complaint(ran)).toMatch(/without its faults and "power: off" of pve2$/);
    expect(JSON.parse(ran.stdout)).toMatchObject({ atOnce: { survivesAny: { nodes: 0, networks: 0 } } });
  });

  it("one line and 2 for what is no question", async () => {
    for (const [path, said] of [
      [join(place.dir, "none.conf"), /read .*none.conf: no such file or directory$/],
      [place.dir, /it is a directory; a corosync.conf or lab file is a regular file$/],
      [file("broken.conf", conf(2).replace("nodeid: 2", "nodeid: 1")), /broken.conf:\d+:\d+: /],
      [file("empty.conf", ""), /empty.conf/],
      [file("big.conf", conf(17)), /big.conf: 17 nodes: .*at most 16 are allowed$/],
      [file("bad.yaml", "quorate: 1\nnodes: 7\n"), /bad.yaml:\d+:\d+: /],
      [file("alone.yaml", labYaml.replace(/cluster:.*\n/, "")), /there is no cluster to ask about$/],
    ] as const) {
      const ran = await place.run(["whatif", path]);
      expect([ran.status, ran.stdout]).toEqual([2, ""]);
      expect(complaint(ran).split("\n")).toHaveLength(1);
      expect(complaint(ran)).toMatch(said);
    }
    expect((await place.run(["whatif"])).status).toBe(2);
  });
});
