/** What lets a page in: the lab's token, and opening tokens that are good once and not for long, for ways on which others may read along (a browser's command line). */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { KEY_NAME_BYTES, keyNameText, NONCE_BYTES, proofText, type Prover } from "../lab/api.ts";

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

  /** The token that a page calls by this name; undefined: it has none that is good. */
  called(keyName: string): string | undefined {
    return [this.lasting, ...this.valid().map(({ token }) => token)].find((token) => sameSecret(keyName, keyNameOf(token)));
  }

  private valid(): { token: string; until: number }[] {
    const now = this.clock();
    return this.openings.filter(({ until }) => until > now);
  }
}

/** The name by which a page speaks of its token; see api-hello.ts. */
export function keyNameOf(token: string): string {
  return createHash("sha256")
    .update(keyNameText(token))
    .digest("hex")
    .slice(0, 2 * KEY_NAME_BYTES);
}

export const newNonce = (): string => randomBytes(NONCE_BYTES).toString("hex");

/** Proof that one of the two knows the token. */
export function proofOf(token: string, prover: Prover, port: number, nonces: { page: string; lab: string }): string {
  return createHmac("sha256", token)
    .update(proofText(prover, port, nonces))
    .digest("hex");
}

export function sameSecret(given: string, wanted: string): boolean {
  const a = Buffer.from(given, "utf8");
  const b = Buffer.from(wanted, "utf8");
  return a.length === b.length && timingSafeEqual(a, b);
}
