/**
 * What encryption adds to the packets of kronosnet, in bytes, and the key they are sealed with. In the real stack: the crypto modules of libknet and the arithmetic
 * of its path-MTU discovery. Left out: ciphers themselves; the lab shows what a wrong key does, it keeps no secret.
 */
import { Hasher } from "../kernel/index.ts";

/** knet's header before the data, bytes. */
export const HEADER = 26;

/** What encryption adds to a packet, bytes. */
export interface Seal {
  /** Salt and digest around it. */
  readonly around: number;
  /** The cipher's block, to which it is filled up by at least one byte; 1: no cipher. */
  readonly block: number;
}

/** Digests, bytes. */
const DIGESTS: Readonly<Record<string, number>> = { md5: 16, sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
/** Salt and block of AES. */
const SALT = 16;
const BLOCK = 16;

/** totem.crypto_cipher and totem.crypto_hash. Without a cipher there is no salt. */
export function sealOf(cipher: string, hash: string): Seal {
  const digest = DIGESTS[hash] ?? 0;
  return cipher === "none" ? { around: digest, block: 1 } : { around: SALT + digest, block: BLOCK };
}

/** The least that fills a packet up. */
const filled = (seal: Seal): number => (seal.block > 1 ? 1 : 0);

/** The largest sealed packet that is not larger than `size`: what is sealed is whole blocks. */
export function onWire(size: number, over: number, { around, block }: Seal): number {
  return over + around + Math.floor((size - over - around) / block) * block;
}

/** Bytes of data that one packet carries on a path of this MTU: 1397 of 1500. */
export function dataMtu(mtu: number, over: number, seal: Seal): number {
  return onWire(mtu, over, seal) - over - seal.around - filled(seal) - HEADER;
}

/** Bytes of UDP payload that so much data is on the wire. */
export function dataWire(bytes: number, seal: Seal): number {
  return seal.around + Math.ceil((HEADER + bytes + filled(seal)) / seal.block) * seal.block;
}

/** What a packet is sealed with: two numbers that differ when the keys differ, and the bytes that cipher and hash add, as `envelope` has them. */
export type SealKey = [number, number, number];

export function sealKey(key: Uint8Array, seal: Seal): SealKey {
  return [...new Hasher().bytes(key).snapshot(), envelope(seal)];
}

/** Lengths of the digests, in bytes; their places in this list go with every packet, since who cannot open it says how long it is. */
const LENGTHS = [0, 16, 20, 32, 48, 64];
const CIPHER = 8;

/** Four bits: cipher or none, and which digest. */
function envelope(seal: Seal): number {
  const digest = LENGTHS.indexOf(digestBytes(seal));
  if (digest < 0) throw new Error(`no envelope adds ${seal.around} bytes`);
  return seal.block > 1 ? CIPHER + digest : digest;
}

/** What the packets of this key have around them. */
export const sealOfKey = (key: Readonly<SealKey>): Seal => sealOfEnvelope(key[2]);

/** The digest alone. */
export const digestBytes = ({ around, block }: Seal): number => around - (block > 1 ? SALT : 0);

export function sealOfEnvelope(bits: number): Seal {
  const digest = LENGTHS[bits % CIPHER] ?? 0;
  return bits >= CIPHER ? { around: SALT + digest, block: BLOCK } : { around: digest, block: 1 };
}
