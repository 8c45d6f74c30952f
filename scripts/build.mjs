// npm run build: the programs and the page into out/.
import { build, nodeTooOld, say, withBuildLock } from "./lib/setup.mjs";

const tooOld = nodeTooOld();
if (tooOld !== undefined) {
  say(tooOld);
  process.exit(1);
}
process.exit((await withBuildLock(build)) ? 0 : 1);
