/**
 * What a page keeps of its token: a key that signs and that no script can read, so that whoever serves this address one day cannot take the token out of the tab. The
 * browser stores it by its name; the tab remembers the name.
 */
import { createStore, delMany, get, keys, set } from "idb-keyval";
import { keyNameOf } from "./challenge.ts";

export interface Credential {
  /** By which the lab finds the token. */
  readonly name: string;
  /** HMAC with SHA-256; not extractable. */
  readonly key: CryptoKey;
}

const tabKey = "quorate-key";
/** Of labs that were at this address; the oldest go. */
const keptMax = 32;

/** Opened when it is first needed: a browser may refuse to store anything. */
let opened: ReturnType<typeof createStore> | undefined;
const store = (): ReturnType<typeof createStore> => (opened ??= createStore("quorate", "keys"));

export async function credentialOf(token: string): Promise<Credential> {
  const bytes = new TextEncoder().encode(token);
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return { name: await keyNameOf(token), key };
}

/** Whether this tab has been in before. */
export const remembersKey = (): boolean => sessionStorage.getItem(tabKey) !== null;

/** The key with which this tab was in last; undefined: none, or the browser has forgotten it. */
export async function recalled(): Promise<Credential | undefined> {
  const name = sessionStorage.getItem(tabKey);
  if (name === null) return undefined;
  try {
    const kept = await get<{ key: CryptoKey }>(name, store());
    return kept === undefined ? undefined : { name, key: kept.key };
  } catch {
    // Nothing is stored in this browser: the page comes in by its whole address.
    return undefined;
  }
}

/** For when the page is loaded again. */
export async function remember({ name, key }: Credential): Promise<void> {
  sessionStorage.setItem(tabKey, name);
  try {
    await set(name, { key, at: Date.now() }, store());
    const names = (await keys<string>(store())).filter((other) => other !== name);
    if (names.length < keptMax) return;
    const dated = await Promise.all(names.map(async (one) => ({ one, at: (await get<{ at: number }>(one, store()))?.at ?? 0 })));
    const old = dated.sort((a, b) => a.at - b.at).slice(0, names.length + 1 - keptMax);
    await delMany(
      old.map(({ one }) => one),
      store(),
    );
  } catch {
    // The same: this page stays in, and a loaded one asks for the whole address.
  }
}
