/** The shell's built-in commands. */
import type { Program } from "../interpreter/program.ts";
import { control } from "./control.ts";
import { declare } from "./declare.ts";
import { jobControl } from "./jobs.ts";
import { output } from "./output.ts";
import { read } from "./read.ts";
import { state } from "./state.ts";

export const builtins: ReadonlyMap<string, Program> = new Map([...control, ...declare, ...jobControl, ...output, ...read, ...state]);
