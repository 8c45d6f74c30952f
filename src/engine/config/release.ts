/**
 * What a release of the stack does otherwise than another: one object a release, one flag a difference, read where the behaviour is. In the real stack: the packages corosync and
 * libknet1 of a Proxmox VE release or of Debian 12. Sources: the same scenarios recorded with corosync 3.1.7 and libknet 1.25, with 3.1.9 and 1.31, and with 3.1.10-pve3 and 1.35; which
 * version brought a difference is from the projects' histories where no recording shows it. Left out: versions in between, and what only a failing library does.
 */

export const RELEASES = ["9.2", "9.1", "3.1.7"] as const;
/** By the release of Proxmox VE that ships it; "3.1.7" is Debian 12's, about what early 8.x had. */
export type Release = (typeof RELEASES)[number];

/** What a machine has whose design names none. */
export const RELEASE_DEFAULT: Release = "3.1.7";

export interface ReleaseProfile {
  readonly release: Release;
  /** As the daemon and the tools print it: without what a package adds. */
  readonly corosync: string;
  readonly libknet: string;
  /** Of pve-cluster: the one version whose behaviour is recorded. */
  readonly pmxcfs: string;
  /** Lines of the source that a daemon names when it gives up, and glibc when an assertion fails. */
  readonly lines: {
    /** main.c: the configuration cannot be read, is not valid, and the lock file is another's. */
    readonly unread: number;
    readonly invalid: number;
    readonly locked: number;
    /** cfg.c: killed by a tool. */
    readonly killed: number;
    /** coroparse.c: a number that is none. */
    readonly assertion: number;
  };

  // ── in every run ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** `Token has not been received in 2737 ms ` ends in a blank. */
  readonly tokenWarningEndsInBlank: boolean;
  /** runtime.config.totem.interface.N.mcastport says the port of each link. */
  readonly showsPort: boolean;
  /** stats.srp.orf_token_tx counts every token sent; else those alone that begin a ring. */
  readonly countsEveryToken: boolean;
  /** Data from a host held unreachable brings up a link that has had a pong since it went down, and is delivered. Else only pongs do, and data is dropped. */
  readonly dataLiftsLinks: boolean;
  /** A member of a process group whose node leaves the ring before the group is synchronised is forgotten. Else its join list is kept, and the next sync brings it as joined. */
  readonly forgetsJoinListsOfLost: boolean;
  /** With block_unlisted_ips off, too, a packet that claims a listed node must come from that node's address. */
  readonly checksListedAddresses: boolean;

  // ── reload ───────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** corosync-cfgtool -R ends with 0 where the file is refused, and tells what could be applied only in part: config.reload_error_message. */
  readonly tellsReloadErrors: boolean;
  /** knet's ping timers follow a token timeout that a reload changes. */
  readonly pingTimersFollowToken: boolean;

  // ── what libknet takes ───────────────────────────────────────────────────────────────────────────────────────────────
  /** A ping timeout below 200 ms is refused for the link, which ends a start; an interval below 200 ms is warned of. */
  readonly refusesShortTimeouts: boolean;
  /** SCTP is not built in, and announced as going away. */
  readonly withoutSctp: boolean;

  // ── corosync.conf ────────────────────────────────────────────────────────────────────────────────────────────────────
  /** The byte A0 is a blank. */
  readonly blankA0: boolean;
  /** A config_version or poll_period that is no number is an error of the file; else an assertion fails. */
  readonly checksLongNumbers: boolean;
  /** Sections in uidgid, in a member or a node, and in a logger have rules of their own. */
  readonly subsectionRules: boolean;
  /** A line that begins with a colon is refused outside of sections for its empty name. */
  readonly refusesEmptyNames: boolean;
  /** totem.ip_dscp is a number or the name of one, and fixed at the start. */
  readonly ipDscp: boolean;
  /** The keys of corosync 2's redundant rings are known: numbers are checked, rrp_mode is fixed at the start. */
  readonly rrpKeys: boolean;

  // ── options and environment ──────────────────────────────────────────────────────────────────────────────────────────
  /** corosync -l FILE. */
  readonly lockFileOption: boolean;
  /** STATE_DIRECTORY names the state directory where the file does not. */
  readonly stateDirectory: boolean;
  /** corosync-keygen -r gives up at the end of the file. */
  readonly keygenEnds: boolean;
}

const OLD: ReleaseProfile = {
  release: "3.1.7",
  corosync: "3.1.7",
  libknet: "1.25",
  pmxcfs: "9.1.6",
  lines: { unread: 1417, invalid: 1445, locked: 1590, killed: 566, assertion: 1477 },
  tokenWarningEndsInBlank: true,
  showsPort: false,
  countsEveryToken: false,
  dataLiftsLinks: false,
  forgetsJoinListsOfLost: false,
  checksListedAddresses: false,
  tellsReloadErrors: false,
  pingTimersFollowToken: false,
  refusesShortTimeouts: false,
  withoutSctp: false,
  blankA0: false,
  checksLongNumbers: false,
  subsectionRules: false,
  refusesEmptyNames: false,
  ipDscp: false,
  rrpKeys: true,
  lockFileOption: false,
  stateDirectory: false,
  keygenEnds: false,
};

const MIDDLE: ReleaseProfile = {
  ...OLD,
  release: "9.1",
  corosync: "3.1.9",
  libknet: "1.31",
  lines: { unread: 1428, invalid: 1456, locked: 1601, killed: 566, assertion: 1483 },
  tokenWarningEndsInBlank: false,
  countsEveryToken: true,
  dataLiftsLinks: true,
  tellsReloadErrors: true,
  refusesShortTimeouts: true,
  blankA0: true,
  lockFileOption: true,
};

const NEW: ReleaseProfile = {
  ...MIDDLE,
  release: "9.2",
  corosync: "3.1.10",
  libknet: "1.35",
  lines: { ...MIDDLE.lines, killed: 570 },
  showsPort: true,
  forgetsJoinListsOfLost: true,
  checksListedAddresses: true,
  pingTimersFollowToken: true,
  withoutSctp: true,
  checksLongNumbers: true,
  subsectionRules: true,
  refusesEmptyNames: true,
  ipDscp: true,
  rrpKeys: false,
  stateDirectory: true,
  keygenEnds: true,
};

const PROFILES: Readonly<Record<Release, ReleaseProfile>> = { "9.2": NEW, "9.1": MIDDLE, "3.1.7": OLD };

export function isRelease(name: string): name is Release {
  return (RELEASES as readonly string[]).includes(name);
}

/** @param name one of RELEASES: whoever lets a name in has checked it */
export function profileOf(name: string): ReleaseProfile {
  if (!isRelease(name)) throw new Error(`config: no release ${name}`);
  return PROFILES[name];
}
