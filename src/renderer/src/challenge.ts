/** The page's half of the introduction of api-hello.ts: it shows that it knows the token, and believes nobody who does not. */
import { KEY_NAME_BYTES, keyNameText, NONCE_BYTES, proofText, type Prover, type Reply } from "../../main/lab/api.ts";

/** Browsers have it on loopback addresses and over https. */
export const MAC_HERE = globalThis.isSecureContext;

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** By which the lab finds the token, and nobody else does. */
export async function keyNameOf(token: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytesOf(keyNameText(token)));
  return hexOf(new Uint8Array(hash).slice(0, KEY_NAME_BYTES));
}

/** One attempt: its nonce is never used again. */
export class Challenge {
  readonly nonce = hexOf(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));

  /**
   * @param key the token as a key for HMAC with SHA-256
   * @param port at which the page believes the lab to be
   */
  constructor(
    private readonly key: CryptoKey,
    private readonly port: number,
  ) {}

  /** Whether who answered knows the token. */
  async proves({ nonce, proof }: Reply<"challenge">): Promise<boolean> {
    return proof === (await this.mac("lab", nonce));
  }

  answer(nonce: string): Promise<string> {
    return this.mac("page", nonce);
  }

  private async mac(prover: Prover, nonce: string): Promise<string> {
    const text = proofText(prover, this.port, { page: this.nonce, lab: nonce });
    return hexOf(new Uint8Array(await crypto.subtle.sign("HMAC", this.key, bytesOf(text))));
  }
}
