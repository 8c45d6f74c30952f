/**
 * Users and groups of a freshly installed machine: /etc/passwd and /etc/group, which ps, ls, id and chown have their names from. In the real stack: Debian's base-passwd, with the users that the
 * packages of a Proxmox VE node add at installation. Left out: passwords (/etc/shadow), and users of packages that the lab models nothing of.
 */

const NOLOGIN = "/usr/sbin/nologin";

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

const user = (name: string, uid: number, gid: number, comment: string, home: string, shell = NOLOGIN): User => ({
  ...{ name, uid, gid, comment, home, shell },
});

/** Those of base-passwd have their numbers for ever; the others got theirs in the order of installation. */
const USERS: readonly User[] = [
  user("root", 0, 0, "root", "/root", "/bin/bash"),
  user("daemon", 1, 1, "daemon", "/usr/sbin"),
  user("bin", 2, 2, "bin", "/bin"),
  user("sys", 3, 3, "sys", "/dev"),
  user("sync", 4, 65534, "sync", "/bin", "/bin/sync"),
  user("games", 5, 60, "games", "/usr/games"),
  user("man", 6, 12, "man", "/var/cache/man"),
  user("lp", 7, 7, "lp", "/var/spool/lpd"),
  user("mail", 8, 8, "mail", "/var/mail"),
  user("news", 9, 9, "news", "/var/spool/news"),
  user("uucp", 10, 10, "uucp", "/var/spool/uucp"),
  user("proxy", 13, 13, "proxy", "/bin"),
  user("www-data", 33, 33, "www-data", "/var/www"),
  user("backup", 34, 34, "backup", "/var/backups"),
  user("list", 38, 38, "Mailing List Manager", "/var/list"),
  user("irc", 39, 39, "ircd", "/run/ircd"),
  user("_apt", 42, 65534, "", "/nonexistent"),
  user("nobody", 65534, 65534, "nobody", "/nonexistent"),
  user("systemd-network", 998, 998, "systemd Network Management", "/"),
  user("messagebus", 100, 107, "", "/nonexistent"),
  user("sshd", 101, 65534, "", "/run/sshd"),
  user("_chrony", 102, 109, "Chrony daemon,,,", "/var/lib/chrony"),
];

/** Base-passwd's groups by number, then those of packages. */
const GROUPS: readonly (readonly [string, number])[] = [
  ...([
    ["root", 0],
    ["daemon", 1],
    ["bin", 2],
    ["sys", 3],
    ["adm", 4],
    ["tty", 5],
    ["disk", 6],
    ["lp", 7],
    ["mail", 8],
  ] as const),
  ...([
    ["news", 9],
    ["uucp", 10],
    ["man", 12],
    ["proxy", 13],
    ["kmem", 15],
    ["dialout", 20],
    ["fax", 21],
    ["voice", 22],
  ] as const),
  ...([
    ["cdrom", 24],
    ["floppy", 25],
    ["tape", 26],
    ["sudo", 27],
    ["audio", 29],
    ["dip", 30],
    ["www-data", 33],
  ] as const),
  ...([
    ["backup", 34],
    ["operator", 37],
    ["list", 38],
    ["irc", 39],
    ["src", 40],
    ["shadow", 42],
    ["utmp", 43],
  ] as const),
  ...([
    ["video", 44],
    ["sasl", 45],
    ["plugdev", 46],
    ["staff", 50],
    ["games", 60],
    ["users", 100],
    ["nogroup", 65534],
  ] as const),
  ...([
    ["systemd-journal", 999],
    ["systemd-network", 998],
    ["messagebus", 107],
    ["_chrony", 109],
  ] as const),
];

export const PASSWD = USERS.map((u) => `${u.name}:x:${u.uid}:${u.gid}:${u.comment}:${u.home}:${u.shell}\n`).join("");
export const GROUP = GROUPS.map(([name, gid]) => `${name}:x:${gid}:\n`).join("");
