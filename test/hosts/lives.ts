/** The twenty-five lives that are compared in one process and on workers, told apart in parts that run side by side. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Crew } from "../../src/engine/host/crew.ts";
import type { Transport } from "../../src/engine/host/endpoint.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { buildWorker, type Built } from "./worker-program.ts";
import { endOf, liveHere, liveInWorkers, scheduleFor, traceOf } from "./worlds.ts";

const SIZES = [3, 5, 3, 3, 3, 5, 3, 3, 5, 3, 8, 3, 5, 3, 3, 3, 3, 8, 3, 3, 3, 3, 5, 3, 3];
export const scenarios = SIZES.map((nodes, i) => [`workers${i}`, nodes] as const);
const PARTS = 2;

/** A crew over each transport, for the tests of one file. */
export function bothCrews(): (transport: Transport) => Crew {
  let program: Built | undefined;
  const crews = new Map<Transport, Crew>();
  beforeAll(async () => {
    program = await buildWorker();
    for (const transport of ["ipc", "tcp"] as const) crews.set(transport, await Crew.open({ program, transport }));
  });
  afterAll(async () => {
    for (const crew of crews.values()) await crew.close();
    program?.remove();
  });
  return (transport) => {
    const crew = crews.get(transport);
    if (crew === undefined) throw new Error(`no crew over ${transport}`);
    return crew;
  };
}

/** The tests of one part. */
export function livesOfPart(part: number): void {
  const crewOf = bothCrews();
  test.each(scenarios.filter((_, i) => i % PARTS === part))(
    "%s, %d nodes: the same trace in one process, over ipc and over tcp",
    async (seed, nodes) => {
      const schedule = scheduleFor(seed, nodes);
      expect(endOf(schedule)).toBeGreaterThanOrEqual(60 * SEC);
      const here = traceOf(liveHere(schedule));
      const [ipc, tcp] = await Promise.all([liveInWorkers(schedule, crewOf("ipc")), liveInWorkers(schedule, crewOf("tcp"))]);
      expect(ipc).toEqual(here);
      expect(tcp).toEqual(here);
    },
    300_000,
  );
}
