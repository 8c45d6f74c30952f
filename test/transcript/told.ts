/**
 * A transcript is a page that is read from top to bottom and a test at once. Lines that begin with # are prose, other lines are commands of the layer's driver, and
 * what follows `----` up to the next empty line is what a reader would see meanwhile; what `quietly COMMAND` brings about is not shown. The first block is prose alone: what the page shows, and after
 * "Source:" where that is documented.
 */

/** Takes the commands of one layer. Made anew for every transcript. */
export interface Driver {
  /** @returns lines that a reader sees, none of them empty */
  run(line: string): readonly string[] | Promise<readonly string[]>;
}

const QUIETLY = /^quietly /;
const ANSWER = "\n----\n";

function commandsOf(block: string): string[] {
  return (block.split(ANSWER)[0] ?? "").split("\n");
}

const isProse = (line: string): boolean => line.startsWith("#");

/** What is wrong with the form of a transcript; empty for a page that a newcomer can read. */
export function malformed(text: string): string[] {
  const blocks = text.trimEnd().split("\n\n");
  const lines = text.trimEnd().split("\n");
  const first = commandsOf(blocks[0] ?? "");
  const wrong: string[] = [];
  if (!first.every(isProse)) wrong.push("the first block is not prose alone");
  if (!first.some((line) => /^# Source: .*\b(FACTS \d+|[a-z_.-]+\(\d\))/.test(line)))
    wrong.push("no line says '# Source: FACTS n' or a manual page");
  if (!blocks.slice(1).every((block) => commandsOf(block).some((line) => !isProse(line)))) wrong.push("a later block has no command");
  if (blocks.length < 3) wrong.push("fewer than two blocks of commands");
  if (lines.length > 90) wrong.push(`${lines.length} lines are more than a page`);
  return wrong;
}

/** The transcript with what really happened: blocks of commands, each closed by an empty line, its answer at its end. */
export async function retell(text: string, driver: Driver): Promise<string> {
  const told: string[] = [];
  for (const block of text.trimEnd().split("\n\n")) {
    const commands = commandsOf(block);
    const answer: string[] = [];
    for (const line of commands) {
      if (isProse(line)) continue;
      const said = await driver.run(line.replace(QUIETLY, ""));
      if (!QUIETLY.test(line)) answer.push(...said);
    }
    if (answer.includes("")) throw new Error(`an empty line in the answer to ${commands.join("; ")}`);
    told.push([...commands, ...(answer.length > 0 ? ["----", ...answer] : [])].join("\n"));
  }
  return `${told.join("\n\n")}\n`;
}
