/** What the engine outside host/ must not touch, so that a run is the same on every machine: found in a file's syntax tree. */
import ts from "typescript";

const STATUS_SCHEMA = "src/engine/kernel/status.ts";

/** Clocks, randomness, timers, input and output, and what depends on the machine or its language. */
const bannedNames = new Set([
  "Date",
  "performance",
  "Intl",
  "process",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "queueMicrotask",
  "requestAnimationFrame",
  "Promise",
  "fetch",
  "crypto",
  "Buffer",
  "require",
  "globalThis",
  "window",
  "document",
  "self",
  "global",
  "navigator",
  "eval",
  "Function",
  "WeakRef",
  "FinalizationRegistry",
]);

/** Results of these may differ in the last bit between engines and machines, or are random. */
const exactMath = new Set(["abs", "ceil", "clz32", "floor", "fround", "imul", "max", "min", "round", "sign", "sqrt", "trunc"]);

/** Each forbidden thing in `text`, as "line: what". */
export function engineBans(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const report = (node: ts.Node, what: string): void => {
    found.push(`${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}: ${what}`);
  };
  const declared = declaredNames(source);
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    const what = banned(node, declared);
    if (what !== undefined) report(node, what);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function banned(node: ts.Node, declared: ReadonlySet<string>): string | undefined {
  if (ts.isIdentifier(node) && bannedNames.has(node.text) && isFreeName(node) && !declared.has(node.text)) return node.text;
  if (ts.isPropertyAccessExpression(node)) return bannedProperty(node);
  if (ts.isAwaitExpression(node)) return "await";
  if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return "for await";
  if (ts.isFunctionLike(node) && ts.canHaveModifiers(node) && ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword))
    return "async";
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return "import()";
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskToken) return bannedPower(node);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return "**=";
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined)
    return bannedImport(node.moduleSpecifier);
  return undefined;
}

function bannedProperty(node: ts.PropertyAccessExpression): string | undefined {
  const name = node.name.text;
  if (ts.isIdentifier(node.expression) && node.expression.text === "Math" && !exactMath.has(name) && !/^[A-Z]/.test(name))
    return `Math.${name}`;
  if (name === "localeCompare" || name.startsWith("toLocale")) return name;
  return undefined;
}

/** A power of two literals is computed once and exactly; any other power is Math.pow. */
function bannedPower(node: ts.BinaryExpression): string | undefined {
  return ts.isNumericLiteral(node.left) && ts.isNumericLiteral(node.right) ? undefined : "**";
}

function bannedImport(specifier: ts.Expression): string | undefined {
  if (!ts.isStringLiteral(specifier)) return undefined;
  // The schema of what a machine believes is data: nothing of the engine runs it.
  if (specifier.text === "zod" && specifier.getSourceFile().fileName === STATUS_SCHEMA) return undefined;
  if (!specifier.text.startsWith(".")) return `import of ${specifier.text}`;
  return specifier.text.endsWith(".ts") ? undefined : `import of ${specifier.text} without its .ts`;
}

/** A name used as a value of its own, not a property, a key or the name of a member. */
function isFreeName(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false;
  return !(ts.isClassElement(parent) || ts.isTypeElement(parent)) || parent.name !== node;
}

/** Names the file declares itself: a parameter called `process` is not Node's. */
function declaredNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const named =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node);
    if (named && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}
