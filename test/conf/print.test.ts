/** Writing files: the one pvecm writes, byte for byte, and the canonical print of any file, which reads back as the same keys. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConf, printConf, writePveConf, type ConfValues } from "../../src/engine/config/index.ts";
import { anyConf } from "./arbitrary.ts";
import { goodConf } from "./good.ts";

/** The map, without the places in the file. */
function keys(values: ConfValues): [string, string, string][] {
  return [...values].map(([key, v]): [string, string, string] => [key, v.type, v.text]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

describe("the file of pvecm", () => {
  test("pvecm create lab", () => {
    const text = writePveConf({
      clusterName: "lab",
      configVersion: 1,
      nodes: [{ name: "pve1", nodeId: 1, votes: 1, addresses: ["10.99.0.11"] }],
      links: [{ link: 0 }],
      totem: { token_coefficient: 125 },
    });
    // the size `ls -l` showed for the real one
    expect(text.length).toBe(371);
    expect(text).toBe(`logging {
  debug: off
  to_syslog: yes
}

nodelist {
  node {
    name: pve1
    nodeid: 1
    quorum_votes: 1
    ring0_addr: 10.99.0.11
  }
}

quorum {
  provider: corosync_votequorum
}

totem {
  cluster_name: lab
  config_version: 1
  interface {
    linknumber: 0
  }
  ip_version: ipv4-6
  link_mode: passive
  secauth: on
  token_coefficient: 125
  version: 2
}

`);
  });

  test("two links, one with a priority, a node of two votes and one without", () => {
    const text = writePveConf({
      clusterName: "lab",
      configVersion: 1,
      nodes: [
        { name: "pve1", nodeId: 5, votes: 2, addresses: ["10.99.0.11", "10.98.0.11"] },
        { name: "pve2", nodeId: 6, votes: 0, addresses: ["10.99.0.12", undefined] },
      ],
      links: [{ link: 0, priority: 20 }, { link: 1 }],
      quorum: { two_node: 1 },
    });
    expect(text).toContain(
      "  node {\n    name: pve1\n    nodeid: 5\n    quorum_votes: 2\n    ring0_addr: 10.99.0.11\n    ring1_addr: 10.98.0.11\n  }\n",
    );
    expect(text).toContain("  node {\n    name: pve2\n    nodeid: 6\n    ring0_addr: 10.99.0.12\n  }\n");
    expect(text).toContain(
      "  interface {\n    knet_link_priority: 20\n    linknumber: 0\n  }\n  interface {\n    linknumber: 1\n  }\n  ip_version",
    );
    expect(text).toContain("quorum {\n  provider: corosync_votequorum\n  two_node: 1\n}\n");
  });
});

describe("printing", () => {
  test("a written file prints as itself", () => {
    for (const text of [goodConf(1), goodConf(3), goodConf(16, 2)]) expect(printConf(parseConf(text).conf)).toBe(text);
  });

  test("order, indent, comments and blank lines are made even", () => {
    const messy = "totem{\nversion:2\n\tcluster_name :  lab \r\n}\n# a comment\nlogging {\n}\n";
    expect(printConf(parseConf(messy).conf)).toBe("logging {\n}\n\ntotem {\n  cluster_name: lab\n  version: 2\n}\n\n");
  });

  test("the order of the file is kept where sorting would change a value", () => {
    const text = "totem.token: 1\ntotem {\n  token: 5\n}\n\n";
    expect(printConf(parseConf(text).conf)).toBe(text);
  });

  test("what is printed reads back as the same keys, and prints as itself", () => {
    const seen = { keys: 0 };
    fc.assert(
      fc.property(anyConf, (text) => {
        const parsed = parseConf(text);
        const printed = printConf(parsed.conf);
        const again = parseConf(printed);
        expect(keys(again.values)).toEqual(keys(parsed.values));
        expect(printConf(again.conf)).toBe(printed);
        seen.keys += parsed.values.size;
      }),
      { numRuns: 3000, seed: 7 },
    );
    // the property speaks of files with something in them
    expect(seen.keys).toBeGreaterThan(3000);
  });
});
