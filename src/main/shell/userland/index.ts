/** The programs the shell brings itself: those that must stream, wait on virtual time, or show the node as it is. */
import type { Program } from "../interpreter/program.ts";
import { find } from "./find.ts";
import { nameServices } from "./getent.ts";
import { grep } from "./grep.ts";
import { diff } from "./diff.ts";
import { ls } from "./ls.ts";
import { copying } from "./copy.ts";
import { files } from "./files.ts";
import { stat } from "./stat.ts";
import { users } from "./users.ts";
import { pager } from "./pager.ts";
import { starters } from "./starters.ts";
import { system } from "./system.ts";
import { text } from "./text.ts";
import { cut } from "./cut.ts";
import { tr } from "./tr.ts";
import { uniq } from "./uniq.ts";

export const programs: ReadonlyMap<string, Program> = new Map([
  ...files,
  ...copying,
  ...users,
  ...nameServices,
  ...starters,
  ...system,
  ...text,
  ["find", find],
  ["diff", diff],
  ["grep", grep],
  ["egrep", grep],
  ["fgrep", grep],
  ["stat", stat],
  ["ls", ls],
  ["dir", ls],
  ["less", pager],
  ["more", pager],
  ["uniq", uniq],
  ["cut", cut],
  ["tr", tr],
]);
