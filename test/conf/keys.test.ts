/** What corosync-cmapctl shows of a file: the keys of the recorded dumps that come from it, with their types. */
import { describe, expect, test } from "vitest";
import { confKeys, parseConf, verifyConf } from "../../src/engine/config/index.ts";
import { Ledger } from "../conformance/ledger.ts";
import { keepTable } from "../conformance/table.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { goodConf, node1, replace } from "./good.ts";

interface Transcript {
  config: string;
  steps: { commands: { cmd: string; out: string }[]; outputs: Record<string, Record<string, { out: string }>> }[];
}

skipLine("test/conf keys");

function shown(text: string): string[] {
  const parsed = parseConf(text);
  const verdict = verifyConf(parsed, node1);
  if (!verdict.ok) throw new Error(verdict.messages.map((m) => m.text).join("\n"));
  return confKeys(verdict.config, parsed.values).map((k) => `${k.key} (${k.type}) = ${k.value}`);
}

function transcript(name: string): Transcript {
  return JSON.parse(reference(`corosync/transcripts/${name}.json`)) as Transcript;
}

const ledger = new Ledger("file-keys");
const FROM_FILE = /^(logging|nodelist|quorum|totem|uidgid|system)\./;

describe.skipIf(!haveReference)("the keys of a recorded file", () => {
  test.each(["form-1", "form-3-together"])("%s: the whole dump", (name) => {
    const recorded = transcript(name);
    const dump = recorded.steps.flatMap((s) => s.commands).find((c) => c.cmd === "corosync-cmapctl")?.out ?? "";
    const lines = ledger.without("keys-of-runtime", "recorded", dump.split("\n"), (line) => !FROM_FILE.test(line));
    expect(lines.length).toBeGreaterThan(10);
    expect(shown(recorded.config)).toEqual(lines);
  });

  test("two-links: nodelist, quorum and config_version", () => {
    const recorded = transcript("two-links");
    const dump = recorded.steps[0]?.outputs["node1"]?.["corosync-cmapctl (filtered)"]?.out ?? "";
    const filtered = /^(nodelist|quorum)\.|^totem\.config_version/;
    const lines = ledger.without("keys-of-runtime", "recorded", dump.split("\n"), (line) => !filtered.test(line));
    expect(lines.length).toBeGreaterThan(10);
    expect(shown(recorded.config).filter((line) => filtered.test(line))).toEqual(lines);
  });

  test("every exclusion was used", () => {
    keepTable(ledger);
    expect(ledger.unused()).toEqual([]);
  });
});

describe("keys a file can add", () => {
  test("settings of a link are filed under its number, unknown ones beside; the own address replaces bindnetaddr", () => {
    const text = replace(
      goodConf(2, 2),
      "linknumber: 1",
      "linknumber: 1\n    bindnetaddr: 10.10.1.0\n    color: red\n    knet_link_priority: 7\n    mcastport: 5500",
    );
    expect(shown(text).filter((line) => line.startsWith("totem.interface"))).toEqual([
      "totem.interface.0.bindnetaddr (str) = 10.10.0.1",
      "totem.interface.1.bindnetaddr (str) = 10.10.1.1",
      "totem.interface.1.knet_link_priority (u8) = 7",
      "totem.interface.1.mcastport (u16) = 5500",
      "totem.interface.color (str) = red",
    ]);
  });

  test("loggers by their name, users by their number, unknown sections and empty values as they are, numbers beyond a double exactly", () => {
    const text = `${replace(goodConf(1), "config_version: 1", "config_version: -1")}logging {
  logger_subsys {
    subsys: QUORUM
    debug: off
  }
}
uidgid {
  uid: 0
}
foobar {
  sub {
    y: 2
    : z
  }
}
empty:
`;
    expect(
      shown(text).filter((line) => !/^(logging\.[dlt]|nodelist|quorum|totem)/.test(line) || /subsys|config_version/.test(line)),
    ).toEqual([
      "empty (str) = ",
      "foobar.sub.: (str) = z",
      "foobar.sub.y (str) = 2",
      "logging.logger_subsys.QUORUM.debug (str) = off",
      "logging.logger_subsys.QUORUM.subsys (str) = QUORUM",
      "totem.config_version (u64) = 18446744073709551615",
      "uidgid.config.uid.0 (u8) = 1",
    ]);
  });
});
