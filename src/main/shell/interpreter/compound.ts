/** Compound commands: if, while, until, for, case, `(( ))`, `[[ ]]`, braces. */
import type { ArithmeticExpression, ArithmeticFor, Case, CompoundCommand, CompoundList, For, If, While } from "unbash";
import { evaluate, evaluateNamed } from "./arithmetic.ts";
import { evaluateTest } from "./conditions.ts";
import type { Expander } from "./expand.ts";
import { matchPattern } from "./pattern.ts";
import type { Context } from "./shell.ts";
import { Leave, ShellError } from "./shell.ts";

/** What runs the lists inside. */
export interface Lists {
  readonly expander: Expander;
  list(ctx: Context, list: CompoundList): Promise<number>;
}

export async function runCompound(lists: Lists, ctx: Context, node: Exclude<CompoundCommand, { type: "Subshell" }>): Promise<number> {
  switch (node.type) {
    case "BraceGroup":
      return lists.list(ctx, node.body);
    case "If":
      return ifCommand(lists, ctx, node);
    case "While":
      return whileLoop(lists, ctx, node);
    case "For":
      return forLoop(lists, ctx, node);
    case "ArithmeticFor":
      return arithmeticFor(lists, ctx, node);
    case "Case":
      return caseCommand(lists, ctx, node);
    case "TestCommand":
      return (await evaluateTest(lists.expander, ctx, node.expression)) ? 0 : 1;
    case "ArithmeticCommand":
      if (!node.expression) return 1;
      return (await evaluateNamed(node.expression, lists.expander.cells(ctx), node.body, "((: ")) === 0n ? 1 : 0;
    case "Select":
      throw new ShellError("select: not modelled in this shell");
  }
}

async function arithmetic(lists: Lists, ctx: Context, node: ArithmeticExpression | undefined, empty: bigint): Promise<bigint> {
  return node ? evaluate(node, lists.expander.cells(ctx)) : empty;
}

async function ifCommand(lists: Lists, ctx: Context, node: If): Promise<number> {
  const quiet: Context = { ...ctx, condition: true };
  if ((await lists.list(quiet, node.clause)) === 0) return lists.list(ctx, node.then);
  for (const branch of node.elif) {
    if ((await lists.list(quiet, branch.clause)) === 0) return lists.list(ctx, branch.then);
  }
  return node.else ? lists.list(ctx, node.else) : 0;
}

/** One round of a loop's body. @returns false when the loop ends */
async function round(lists: Lists, ctx: Context, body: CompoundList): Promise<boolean> {
  await ctx.shell.system.step(ctx.interrupt);
  try {
    await lists.list(ctx, body);
    return true;
  } catch (error) {
    if (!(error instanceof Leave) || (error.what !== "break" && error.what !== "continue")) throw error;
    if (--error.count > 0) throw error;
    ctx.shell.status = 0;
    return error.what === "continue";
  }
}

async function loop(ctx: Context, run: () => Promise<number>): Promise<number> {
  ctx.shell.loops++;
  try {
    return await run();
  } finally {
    ctx.shell.loops--;
  }
}

function whileLoop(lists: Lists, ctx: Context, node: While): Promise<number> {
  const quiet: Context = { ...ctx, condition: true };
  return loop(ctx, async () => {
    let status = 0;
    while (((await lists.list(quiet, node.clause)) === 0) === (node.kind === "while")) {
      if (!(await round(lists, ctx, node.body))) return 0;
      status = ctx.shell.status;
    }
    return status;
  });
}

function forLoop(lists: Lists, ctx: Context, node: For): Promise<number> {
  return loop(ctx, async () => {
    const tokens = node.wordlist ? await lists.expander.fields(ctx, node.wordlist) : [...ctx.shell.positional];
    let status = 0;
    for (const word of tokens) {
      ctx.shell.set(node.name.value, word);
      if (!(await round(lists, ctx, node.body))) return 0;
      status = ctx.shell.status;
    }
    return status;
  });
}

function arithmeticFor(lists: Lists, ctx: Context, node: ArithmeticFor): Promise<number> {
  return loop(ctx, async () => {
    let status = 0;
    await arithmetic(lists, ctx, node.initialize, 0n);
    while ((await arithmetic(lists, ctx, node.test, 1n)) !== 0n) {
      if (!(await round(lists, ctx, node.body))) return 0;
      status = ctx.shell.status;
      await arithmetic(lists, ctx, node.update, 0n);
    }
    return status;
  });
}

async function caseCommand(lists: Lists, ctx: Context, node: Case): Promise<number> {
  const text = await lists.expander.text(ctx, node.word);
  let through = false;
  let status = 0;
  for (const item of node.items) {
    let hit = through;
    for (const pattern of item.pattern) hit ||= matchPattern(await lists.expander.pattern(ctx, pattern), text);
    if (!hit) continue;
    status = item.body.commands.length === 0 ? 0 : await lists.list(ctx, item.body);
    if (item.terminator === ";&") through = true;
    else if (item.terminator === ";;&") through = false;
    else return status;
  }
  return status;
}
