/** What lets a page in: the lab's token, and opening tokens that are good once and not for long, for ways on which others may read along (a browser's command line). */
import { randomBytes, timingSafeEqual } from "node:crypto";

const TOKEN_BYTES = 24;
/** A browser that was told to open an address has asked for it by then. */
const OPENING_MS = 60_000;
const OPENINGS_MAX = 16;

/** A secret for the fragment of the page's URL. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

export class Tokens {
  private openings: { token: string; until: number }[] = [];

  constructor(
    readonly lasting: string = newToken(),
    /** Wall ms, of whatever begin. */
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** A new opening token. Only the newest few are good. */
  opening(): string {
    const token = newToken();
    this.openings = [...this.valid(), { token, until: this.clock() + OPENING_MS }].slice(-OPENINGS_MAX);
    return token;
  }

  /** Whether `given` lets a page in. An opening token is used up by that. */
  admits(given: string): boolean {
    if (sameSecret(given, this.lasting)) return true;
    const openings = this.valid();
    this.openings = openings.filter(({ token }) => !sameSecret(given, token));
    return this.openings.length < openings.length;
  }

  private valid(): { token: string; until: number }[] {
    const now = this.clock();
    return this.openings.filter(({ until }) => until > now);
  }
}

function sameSecret(given: string, wanted: string): boolean {
  const a = Buffer.from(given, "utf8");
  const b = Buffer.from(wanted, "utf8");
  return a.length === b.length && timingSafeEqual(a, b);
}
