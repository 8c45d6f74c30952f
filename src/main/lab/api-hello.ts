/**
 * How a page on the web and its lab know each other again, without a token on the wire: whoever holds the lab's port now may be somebody else. The page names the token by a hash and
 * sends a nonce; the lab answers with a nonce of its own and an HMAC over both; only when that is right does the page answer with its HMAC. Each HMAC is over the sender's part, the
 * port and both nonces, so that none serves for the other part, another time, or a lab at another port. Pure (zod only), like api.ts.
 */
import { z } from "zod";

/** Bytes in hexadecimal digits. */
const hex = (bytes: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${bytes} bytes in hexadecimal are allowed`);

export const NONCE_BYTES = 16;
export const KEY_NAME_BYTES = 16;
export const hexOf32 = hex(NONCE_BYTES);
/** HMAC-SHA-256 */
export const hexOf64 = hex(32);

/** Who proves that it knows the token. */
export type Prover = "lab" | "page";

/** Of this the first KEY_NAME_BYTES of the SHA-256 name a token: 24 random bytes are not to be guessed from it. */
export const keyNameText = (token: string): string => `quorate token ${token}`;

/** Of this the HMAC-SHA-256 under the token is the proof. */
export function proofText(prover: Prover, port: number, nonces: { readonly page: string; readonly lab: string }): string {
  return `quorate ${prover} ${port} ${nonces.page} ${nonces.lab}`;
}
