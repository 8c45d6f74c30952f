/** Shell arithmetic: 64-bit integers with C's operators, over the parser's tree. */
import type { ArithmeticExpression, ArithmeticWord } from "unbash";
import { parse } from "unbash";
import { ShellError } from "./shell.ts";

/** How an expression reaches the variables. */
export interface Cells {
  /** Expands `$x`, `$(…)` in an operand. */
  expand(word: ArithmeticWord): Promise<string>;
  substitute(text: string): Promise<string>;
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

/** Variables whose values are names of variables, and so on: how deep. */
const RECURSION_MAX = 64;
/** Characters of one expression. */
const EXPRESSION_MAX = 8192;

const DIVISION = "division by 0";

/** The same; a division by zero names the expression as bash does. */
export async function evaluateNamed(node: ArithmeticExpression, cells: Cells, text: string, start = ""): Promise<bigint> {
  try {
    return await evaluate(node, cells);
  } catch (error) {
    if (error instanceof ShellError && error.message.startsWith(DIVISION))
      throw new ShellError(`${start}${text.trimStart()}: ${error.message}`);
    throw error;
  }
}

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);
const truth = (value: boolean): bigint => (value ? 1n : 0n);

function number(text: string): bigint | undefined {
  if (/^\d+#[0-9a-zA-Z@_]+$/.test(text)) {
    const [base, digits] = text.split("#");
    return inBase(Number(base), digits ?? "", text);
  }
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return wrap(BigInt(text));
  if (/^0[0-7]*$/.test(text)) return wrap(BigInt(`0o${text.slice(1) || "0"}`));
  if (/^0\d+$/.test(text)) throw new ShellError(`${text}: value too great for base (error token is "${text}")`);
  return /^\d+$/.test(text) ? wrap(BigInt(text)) : undefined;
}

function inBase(base: number, digits: string, text: string): bigint {
  if (base < 2 || base > 64) throw new ShellError(`${text}: invalid arithmetic base (error token is "${text}")`);
  const order = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_";
  let value = 0n;
  for (const digit of base <= 36 ? digits.toLowerCase() : digits) {
    const at = order.indexOf(digit);
    if (at < 0 || at >= base) throw new ShellError(`${text}: value too great for base (error token is "${text}")`);
    value = value * BigInt(base) + BigInt(at);
  }
  return wrap(value);
}

/** The value of the text of an expression, as variables and `let` hold it. */
export async function evaluateText(text: string, cells: Cells, depth = 0): Promise<bigint> {
  const trimmed = text.trim();
  if (trimmed === "") return 0n;
  const plain = number(trimmed);
  if (plain !== undefined) return plain;
  if (trimmed.length > EXPRESSION_MAX) throw new ShellError("arithmetic expression too long");
  if (depth > RECURSION_MAX) throw new ShellError(`${trimmed}: expression recursion level exceeded (error token is "${trimmed}")`);
  const script = parse(`((${trimmed}))`);
  const command = script.commands[0]?.command;
  if (command?.type !== "ArithmeticCommand" || script.errors || script.commands.length !== 1 || !command.expression) {
    throw new ShellError(`${trimmed}: syntax error in expression (error token is "${trimmed}")`);
  }
  const only = command.expression;
  if (only.type === "ArithmeticWord" && only.value === trimmed && !only.parts && !NAME.test(trimmed)) {
    throw new ShellError(`${trimmed}: syntax error in expression (error token is "${trimmed}")`);
  }
  return evaluate(command.expression, cells, depth + 1);
}

const NAME = /^[A-Za-z_]\w*(?:\[[^]*\])?$/;

async function operandText(node: ArithmeticExpression, cells: Cells): Promise<string> {
  if (node.type === "ArithmeticWord") return (await cells.expand(node)).trim();
  if (node.type === "ArithmeticGroup") return operandText(node.expression, cells);
  throw new ShellError("attempted assignment to non-variable");
}

async function variable(node: ArithmeticExpression, cells: Cells): Promise<string> {
  const name = await operandText(node, cells);
  if (!NAME.test(name)) throw new ShellError(`${name}: attempted assignment to non-variable (error token is "${name}")`);
  return name;
}

async function word(text: string, cells: Cells, depth: number): Promise<bigint> {
  const trimmed = text.trim();
  const plain = number(trimmed);
  if (plain !== undefined) return plain;
  if (NAME.test(trimmed)) return evaluateText(cells.get(trimmed) ?? "", cells, depth + 1);
  return evaluateText(trimmed, cells, depth + 1);
}

function binary(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case "+":
      return wrap(a + b);
    case "-":
      return wrap(a - b);
    case "*":
      return wrap(a * b);
    case "/":
    case "%":
      if (b === 0n) throw new ShellError(`${DIVISION} (error token is "${b}")`);
      return wrap(operator === "/" ? a / b : a % b);
    case "**":
      if (b < 0n) throw new ShellError("exponent less than 0");
      return power(a, b);
    case "<<":
      return wrap(a << (b & 63n));
    case ">>":
      return wrap(a >> (b & 63n));
    case "<":
      return truth(a < b);
    case ">":
      return truth(a > b);
    case "<=":
      return truth(a <= b);
    case ">=":
      return truth(a >= b);
    case "==":
      return truth(a === b);
    case "!=":
      return truth(a !== b);
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    default:
      throw new ShellError(`${operator}: syntax error in expression`);
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = wrap(result * square);
    square = wrap(square * square);
  }
  return result;
}

/** @throws ShellError */
export async function evaluate(node: ArithmeticExpression, cells: Cells, depth = 0): Promise<bigint> {
  const down = (next: ArithmeticExpression): Promise<bigint> => evaluate(next, cells, depth);
  switch (node.type) {
    case "ArithmeticGroup":
      return down(node.expression);
    case "ArithmeticWord":
      if (node.value === "") throw new ShellError("syntax error: operand expected");
      return word(await cells.expand(node), cells, depth);
    case "ArithmeticCommandExpansion":
      return word(await cells.substitute(node.text), cells, depth);
    case "ArithmeticTernary":
      return (await down(node.test)) !== 0n ? down(node.consequent) : down(node.alternate);
    case "ArithmeticUnary": {
      if (node.operator === "++" || node.operator === "--") {
        const name = await variable(node.operand, cells);
        const old = await word(name, cells, depth);
        const next = wrap(old + (node.operator === "++" ? 1n : -1n));
        cells.set(name, next.toString());
        return node.prefix ? next : old;
      }
      const value = await down(node.operand);
      if (node.operator === "-") return wrap(-value);
      if (node.operator === "!") return truth(value === 0n);
      return node.operator === "~" ? wrap(~value) : value;
    }
    case "ArithmeticBinary":
      return evaluateBinary(node.operator, node.left, node.right, cells, depth);
  }
}

async function evaluateBinary(
  operator: string,
  left: ArithmeticExpression,
  right: ArithmeticExpression,
  cells: Cells,
  depth: number,
): Promise<bigint> {
  const down = (next: ArithmeticExpression): Promise<bigint> => evaluate(next, cells, depth);
  if (operator === "&&") return truth((await down(left)) !== 0n && (await down(right)) !== 0n);
  if (operator === "||") return truth((await down(left)) !== 0n || (await down(right)) !== 0n);
  if (operator === ",") {
    await down(left);
    return down(right);
  }
  const assigns = /^(.*)=$/.exec(operator);
  if (assigns && !["==", "!=", "<=", ">="].includes(operator)) {
    const name = await variable(left, cells);
    const value = await down(right);
    const result = assigns[1] === "" ? value : binary(assigns[1] ?? "", await word(name, cells, depth), value);
    cells.set(name, result.toString());
    return result;
  }
  return binary(operator, await down(left), await down(right));
}
