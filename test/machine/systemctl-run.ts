/** Runs systemctl on a test machine: answers its queries, does what it asks for, lets time pass while it waits for a job. */
import { journalText } from "../../src/engine/command/journal-format.ts";
import {
  isQuery,
  jobAnswer,
  managerCall,
  query,
  run,
  type ManagerCall,
  type SystemctlAnswer,
  type SystemctlHost,
} from "../../src/engine/command/systemd/index.ts";
import type { Result } from "../../src/engine/command/result.ts";
import { MANAGER, type ToolAnswer } from "../../src/engine/command/index.ts";
import type { IpcReply } from "../../src/engine/kernel/index.ts";
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
  let answer: ToolAnswer = { answer: "done" };
  const reply = (value: SystemctlAnswer): void => void (answer = { answer: "reply", reply: { answer: value } as unknown as IpcReply });
  for (;;) {
    const next = generator.next(answer);
    if (next.done === true) return { stdout, stderr, status: next.value };
    const ask = next.value;
    answer = { answer: "done" };
    if (ask.ask === "print") {
      if (ask.stream === "stdout") stdout += ask.text;
      else stderr += ask.text;
      continue;
    }
    if (ask.ask !== "call" || ask.service !== MANAGER) throw new Error(`systemctl asks for ${ask.ask}`);
    if (ask.request.call === "act") reply(managerCall(m.manager, ask.request["act"] as unknown as ManagerCall));
    else reply(over(m, argv, Number(ask.request["job"]), String(ask.request["unit"])));
  }
}

/** Time passes until the job is over. */
function over(m: TestMachine, argv: readonly string[], job: number, unit: string): SystemctlAnswer {
  for (;;) {
    const answer = jobAnswer(m.manager, job, unit);
    if (answer !== undefined) return answer;
    if (m.nextAt() === Infinity) throw new Error(`${argv.join(" ")} waits for ever`);
    m.step();
  }
}
