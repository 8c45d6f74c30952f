/** Wrong calls and bare ones of the tools of procps, psmisc, sysvinit and systemd: what is said and with which status, compared with what the real programs said. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Peeker } from "../../src/engine/kernel/index.ts";
import { SmallMachine } from "../machine/small-machine.ts";
import { probe } from "../machine/probes.ts";
import { cluster } from "./fake-host.ts";
import { LoneProcess, play } from "./lone-process.ts";

interface RealCall {
  readonly call: readonly string[];
  readonly status: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

interface Recorded {
  readonly usage: Readonly<Record<string, string>>;
  readonly calls: readonly RealCall[];
}

const recorded = JSON.parse(readFileSync(new URL("./real-calls.json", import.meta.url), "utf8")) as Recorded;

/** As a process of a machine where no other has the number or the name in a call. */
function run(argv: readonly string[], made?: Peeker): { stdout: string; stderr: string; status: number | undefined } {
  const m = new SmallMachine(probe, { "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n" });
  m.act({ kind: "session-open", session: "s", terminal: true, cwd: "/root" });
  const process = new LoneProcess(argv, made ?? m.runtime.peeker({ argv, cwd: "/root", session: "s" }));
  process.os.kill = () => "ESRCH";
  play(process, false);
  const of = (stream: string): string =>
    process.said.map((line) => (line.startsWith(`${stream}: `) ? line.slice(stream.length + 2) : "")).join("");
  return { stdout: of("stdout"), stderr: of("stderr"), status: process.ended };
}

describe("said as the real program says it", () => {
  for (const { call, status, stdout = "", stderr = "" } of recorded.calls) {
    const name = call[0] ?? "";
    const whole = (text: string): string => text.replace("<usage>", recorded.usage[name] ?? "");
    test(call.join(" "), () => {
      // The service manager's tools ask one that a small machine has not.
      const ours = run(call, name === "systemctl" || name === "journalctl" ? cluster() : undefined);
      expect(ours).toEqual({ stdout: whole(stdout), stderr: whole(stderr), status });
    });
  }
});
