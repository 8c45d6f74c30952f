/**
 * The nightly comparison with real daemons: so many random scenarios, several side by side since they mostly wait. Arguments: the series' seed, how many
 * scenarios, and the file in which it is kept what held, so that a series goes on where it was left; or `--only` and the seed of one scenario.
 * QUORATE_COROSYNC_PREFIX names a directory with daemons of another version; the lab plays the release that has it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { noRealHosts, realRelease, usePrefix } from "../conf/real-hosts.ts";
import { OurCluster } from "./ours.ts";
import { ledger, play, type Played } from "./play.ts";
import { RealCluster } from "./real.ts";
import { sayScenario, scenarioOf } from "./scenario.ts";

const SIDE_BY_SIDE = 3;

async function one(seed: string): Promise<Played> {
  const scenario = scenarioOf(seed);
  const say = (line: string): void => void process.stderr.write(`oracle ${seed}: ${line}\n`);
  say(sayScenario(scenario));
  const real = new RealCluster(scenario);
  try {
    return await play(scenario, real, (timing) => new OurCluster(scenario, timing, realRelease()), say);
  } finally {
    await real.close();
  }
}

async function series(seeds: readonly string[], file: string | undefined): Promise<number> {
  const held: string[] = file !== undefined && existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as string[]) : [];
  const waiting = seeds.filter((seed) => !held.includes(seed));
  if (waiting.length < seeds.length) console.log(`oracle: ${seeds.length - waiting.length} of ${seeds.length} scenarios held before`);
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const { equal, notes, difference } = await one(seed);
      const more = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
      if (difference === undefined) {
        console.log(`oracle ${seed}: ${equal} answers equal${more}`);
        held.push(seed);
        if (file !== undefined) writeFileSync(file, JSON.stringify(held));
      } else {
        failed++;
        console.log(`oracle ${seed}: differs${more}: ${difference}oracle ${seed}: again: npm run nightly -- --only ${seed}`);
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  console.log(ledger.table());
  console.log(`oracle: ${seeds.length - failed} of ${seeds.length} scenarios as the real daemons`);
  return failed;
}

usePrefix(process.env["QUORATE_COROSYNC_PREFIX"]);
const why = noRealHosts(true);
const [first = "", second = "", third] = process.argv.slice(2);
if (why !== undefined) console.log(`oracle: skipped, ${why} (it runs real corosync daemons as root on Debian)`);
else {
  const seeds = first === "--only" ? [second] : Array.from({ length: Number(second) }, (_, i) => `${first}-${i}`);
  process.exitCode = (await series(seeds, first === "--only" ? undefined : third)) > 0 ? 1 : 0;
}
