/**
 * Users and groups that a configuration names in its uidgid sections. In the real stack: uid_determine and gid_determine of coroparse, which ask the host by getpwnam and
 * getgrnam. Left out: hosts that have their users from elsewhere than /etc/passwd and /etc/group.
 */

/** What a host knows; a number by a name, undefined where there is none. */
export interface Accounts {
  user(name: string): number | undefined;
  group(name: string): number | undefined;
}

/** By the texts of /etc/passwd and /etc/group, the first of each name. */
export function accountsOf(passwd: string, group: string): Accounts {
  const find = (text: string, name: string): number | undefined => {
    for (const line of text.split("\n")) {
      const [called, , id] = line.split(":");
      if (called === name && id !== undefined && /^[0-9]+$/.test(id)) return Number(id);
    }
    return undefined;
  };
  return { user: (name) => find(passwd, name), group: (name) => find(group, name) };
}

/** Whether a user or group could be called so: what useradd takes, and a dot. */
export function isAccountName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/.test(text);
}

export type AccountKind = "user" | "group";

/** What every Debian has from its first day (base-passwd). */
const BASE: Readonly<Record<AccountKind, ReadonlySet<string>>> = {
  user: new Set("root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc _apt nobody".split(" ")),
  group: new Set(
    (
      "root daemon bin sys adm tty disk lp mail news uucp man proxy kmem dialout fax voice cdrom floppy tape sudo audio dip www-data backup operator list " +
      "irc src shadow utmp video sasl plugdev staff games users nogroup"
    ).split(" "),
  ),
};

/** Whether no host of ours is without it. */
export function isBaseAccount(kind: AccountKind, name: string): boolean {
  return BASE[kind].has(name);
}

/** What the daemon says where there is none of that name. */
export function notFound(kind: AccountKind, name: string): string {
  return `The '${name}' ${kind} is not found in /etc/${kind === "user" ? "passwd" : "group"}, please read the documentation.`;
}
