/** Runs systemctl on a test machine: answers its queries, does what it asks for, lets time pass while it waits for a job. */
import { journalText } from "../../src/engine/command/journal-format.ts";
import {
  isQuery,
  jobAnswer,
  managerCall,
  query,
  run,
  type SystemctlAnswer,
  type SystemctlHost,
} from "../../src/engine/command/systemd/index.ts";
import type { Result } from "../../src/engine/command/result.ts";
import { systemdView } from "../../src/engine/machine/systemd/index.ts";
import { EPOCH, type TestMachine } from "./systemd-machine.ts";

export function systemctlHost(m: TestMachine): SystemctlHost {
  const host = { hostname: m.manager.hooks.host.hostname, now: m.now, epochUnixMicros: EPOCH };
  return {
    ...host,
    systemd: systemdView(m.manager),
    journalSince: (from) => m.journal.slice(from),
    journalText: (line) => journalText(host, line, "short", true),
  };
}

export function runSystemctl(m: TestMachine, argv: readonly string[]): Result {
  if (isQuery(argv)) return query(systemctlHost(m), argv);
  const generator = run(argv);
  let [stdout, stderr] = ["", ""];
  let answer: SystemctlAnswer = {};
  for (;;) {
    const next = generator.next(answer);
    if (next.done === true) return { stdout, stderr, status: next.value };
    const ask = next.value;
    answer = {};
    if (ask.ask === "print") {
      if (ask.stream === "stdout") stdout += ask.text;
      else stderr += ask.text;
    } else if (ask.ask === "manager") answer = managerCall(m.manager, ask.call);
    else {
      let over = jobAnswer(m.manager, ask.job, ask.unit);
      while (over === undefined) {
        if (m.nextAt() === Infinity) throw new Error(`${argv.join(" ")} waits for ever`);
        m.step();
        over = jobAnswer(m.manager, ask.job, ask.unit);
      }
      answer = over;
    }
  }
}
