// npm run nightly [-- --rounds N]: the whole of npm test several times with the files in another order each time, then the bench. What fails once in
// a while is found here. The last line says how many rounds held.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, say } from "./lib/setup.mjs";

const words = process.argv.slice(2);
const rounds = words[0] === "--rounds" ? Number(words[1]) : words.length === 0 ? 5 : NaN;
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) {
  say("npm run nightly [-- --rounds N]: N from 1 to 1000, default 5");
  process.exit(2);
}

/** Runs a script of ours, passes on what it prints, and returns that. */
async function script(name, env) {
  const child = spawn(process.execPath, [join(root, "scripts", name)], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
    process.stdout.write(data);
  });
  const status = await new Promise((done) => child.on("close", done));
  return { status, output };
}

const failed = [];
for (let round = 1; round <= rounds; round++) {
  console.log(`── round ${round} of ${rounds}`);
  const { status, output } = await script("test.mjs", { QUORATE_SHUFFLE: String(round) });
  if (status !== 0) failed.push(`round ${round}: ${[...output.matchAll(/^FAIL (\S+)/gm)].map((match) => match[1]).join(" ")}`);
}
console.log("── bench");
const bench = await script("bench.mjs", {});
for (const line of failed) console.log(line);
console.log(`${rounds - failed.length} of ${rounds} rounds held${bench.status === 0 ? "" : ", the bench failed"}`);
process.exit(failed.length > 0 || bench.status !== 0 ? 1 : 0);
