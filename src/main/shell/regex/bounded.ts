/**
 * Patterns that RE2 cannot say: back references, which are GNU's own, and the look-around of PCRE. Looking for them can take for ever, whoever does
 * it; here V8 does, and is stopped. (RE2's promise cannot be kept for them, and a matcher of our own would have to be stopped just so.)
 */
import { createContext, Script } from "node:vm";
import { PatternFault, PatternLimit } from "./fault.ts";

/** Wall time that one look for a pattern may take, ms. */
const LOOK_MS = 300;

const look = new Script("pattern.lastIndex = from; pattern.exec(text)");

/** @returns what finds the pattern from a place on. @throws PatternFault */
export function boundedPattern(source: string, flags: string): (text: string, from: number) => RegExpExecArray | undefined {
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, `${flags}g`);
  } catch {
    throw new PatternFault("Invalid regular expression");
  }
  const context = createContext({ pattern, text: "", from: 0 });
  return (text, from) => {
    Object.assign(context, { text, from });
    try {
      return (look.runInContext(context, { timeout: LOOK_MS }) as RegExpExecArray | null) ?? undefined;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw new PatternLimit();
      // Too deep for V8's stack, or too large to be compiled.
      throw new PatternLimit();
    }
  };
}
