/** Users and groups, as /etc/passwd and /etc/group have them: their names for ls and stat, and id, whoami and chown. */
import { FileError } from "../files.ts";
import { decode } from "../bytes.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions } from "../interpreter/program.ts";

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

async function records(run: Run, path: string): Promise<string[][]> {
  try {
    const lines = decode(await run.files.read(path)).split("\n");
    return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(":"));
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}

/** Who there is. The shell's own user is known where no file names it. */
export class Accounts {
  private constructor(
    private readonly users: readonly User[],
    private readonly groups: readonly Group[],
  ) {}

  static async of(run: Run): Promise<Accounts> {
    const numeric = (text: string | undefined): text is string => text !== undefined && /^\d+$/.test(text);
    const users = (await records(run, "/etc/passwd")).flatMap(([name = "", , uid, gid]) =>
      numeric(uid) && numeric(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [],
    );
    const groups = (await records(run, "/etc/group")).flatMap(([name = "", , gid, members = ""]) =>
      numeric(gid) ? [{ name, gid: Number(gid), members: members.split(",").filter((member) => member !== "") }] : [],
    );
    return new Accounts([...users, { name: "root", uid: 0, gid: 0 }], [...groups, { name: "root", gid: 0, members: [] }]);
  }

  /** The name, or the number where there is none. */
  user(uid: number): string {
    return this.users.find((user) => user.uid === uid)?.name ?? String(uid);
  }

  group(gid: number): string {
    return this.groups.find((group) => group.gid === gid)?.name ?? String(gid);
  }

  /** By name, or else by number. */
  findUser(word: string): User | undefined {
    const found = this.users.find((user) => user.name === word);
    if (found || !/^\d{1,10}$/.test(word)) return found;
    return this.users.find((user) => user.uid === Number(word)) ?? { name: word, uid: Number(word), gid: Number(word) };
  }

  findGroup(word: string): number | undefined {
    return this.groups.find((group) => group.name === word)?.gid ?? (/^\d{1,10}$/.test(word) ? Number(word) : undefined);
  }

  known(user: User): boolean {
    return this.users.includes(user);
  }

  groupsOf({ name, gid }: User): number[] {
    return [gid, ...this.groups.filter((group) => group.gid !== gid && group.members.includes(name)).map((group) => group.gid)];
  }
}

async function id(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "unGgrz", long: { user: "u", name: "n", group: "g", groups: "G" } });
  const accounts = await Accounts.of(run);
  const word = options.operands[0] ?? "root";
  const user = accounts.findUser(word);
  if (!user || !accounts.known(user)) return run.fail(`'${word}': no such user`);
  const groups = accounts.groupsOf(user);
  const group = (gid: number): string => (options.has("n") ? accounts.group(gid) : String(gid));
  if (options.has("u")) await run.out(`${options.has("n") ? user.name : user.uid}\n`);
  else if (options.has("g")) await run.out(`${group(user.gid)}\n`);
  else if (options.has("G")) await run.out(`${groups.map(group).join(" ")}\n`);
  else {
    const all = groups.map((gid) => `${gid}(${accounts.group(gid)})`).join(",");
    await run.out(`uid=${user.uid}(${user.name}) gid=${user.gid}(${accounts.group(user.gid)}) groups=${all}\n`);
  }
  return 0;
}

async function whoami(run: Run): Promise<number> {
  await run.out(`${(await Accounts.of(run)).user(0)}\n`);
  return 0;
}

/** Lines of a database in /etc whose name, or number, is one of the keys. */
export async function accountsNamed(run: Run, path: string, keys: readonly string[]): Promise<number> {
  const all = await records(run, path);
  if (keys.length === 0) for (const fields of all) await run.out(`${fields.join(":")}\n`);
  let status = 0;
  for (const key of keys) {
    const found = all.find((fields) => fields[0] === key || (/^\d+$/.test(key) && fields[2] === key));
    if (found) await run.out(`${found.join(":")}\n`);
    else status = 2;
  }
  return status;
}

export const users: [string, Program][] = [
  ["id", id],
  ["whoami", whoami],
];
