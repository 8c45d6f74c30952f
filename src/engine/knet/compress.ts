/**
 * Compression of data before it goes out: what a setting makes the daemon say, and how large a packet becomes. In the real stack: libknet's compress.c with its seven modules. Sources: starts of
 * corosync 3.1.7 with each model at levels in and out of its range. Left out: compressing. The lab's packets go as they are; only their length on the wire is another, by a rule of ours that is
 * the same for every model and level: a byte that repeats the one before it costs nothing. So runs of zeros vanish, as they do with every real module, and text that has none stays as it is.
 */
import type { LogLevel } from "../kernel/index.ts";

export interface Compression {
  /** totem.knet_compression_model; "none": off. */
  readonly model: string;
  readonly level: number;
  /** Bytes; shorter packets are left alone. 0: libknet's own. */
  readonly threshold: number;
}

export const NO_COMPRESSION: Compression = Object.freeze({ model: "none", level: 0, threshold: 0 });

/** libknet: KNET_COMPRESS_THRESHOLD. */
const THRESHOLD_DEFAULT = 100;
/** Bytes that any module puts around what it has compressed (ours). */
const FRAME = 16;

/** Levels that a module takes, and what it says of another. Those that are not here take any. */
const LEVELS: Readonly<Record<string, { readonly min: number; readonly max: number; readonly refusal: string }>> = {
  zlib: { min: -1, max: 9, refusal: "zlibcomp: zlib compress stream error" },
  lzma: { min: 0, max: 9, refusal: "lzmacomp: lzma compress unknown error 8" },
  bzip2: { min: 1, max: 9, refusal: "bzip2comp: bzip2 compress unknown error -2" },
};

/** lzo2 takes its level for the number of a method. */
const LZO2_METHODS: Readonly<Record<number, string>> = {
  1: "lzo1x_1_compress",
  11: "lzo1x_1_11_compress",
  12: "lzo1x_1_12_compress",
  15: "lzo1x_1_15_compress",
  999: "lzo1x_999_compress",
};

/** The bytes that zlib makes of libknet's test buffer without compressing it. */
const TEST_BYTES = 65_562;
const TEST_BYTES_STORED = 65_578;

type Line = readonly [LogLevel, string, string];

/** Whether packets get smaller with it: a level that its module refuses leaves them as they are. */
export function compresses({ model, level }: Compression): boolean {
  const range = LEVELS[model];
  return model !== "none" && (range === undefined || (level >= range.min && level <= range.max));
}

/**
 * What knet_handle_compress says.
 * @param first the module is loaded for it
 */
export function compressLines(c: Compression, first: boolean): Line[] {
  const { model, level, threshold } = c;
  if (model === "none") return [];
  const lines: Line[] = [["debug", "KNET", `compress: Initializing compress module [${model}/${level}/${threshold}]`]];
  if (threshold === 0) lines.push(["debug", "KNET", `compress: resetting compression threshold to default (${THRESHOLD_DEFAULT})`]);
  if (first) {
    const file = `compress_${model}.so`;
    lines.push(["info", "KNET", `common: ${file} has been loaded from /usr/lib/x86_64-linux-gnu/kronosnet/${file}`]);
  }
  const refusal = LEVELS[model]?.refusal;
  if (!compresses(c) && refusal !== undefined) {
    // Totem hears of it at once, what the library says comes through a pipe.
    lines.unshift(["error", "TOTEM", "knet_handle_compress failed: Invalid argument (22)"]);
    lines.push(["error", "KNET", refusal]);
    lines.push(["error", "KNET", "compress: Unable to compress test buffer. Please check your compression settings: Invalid argument"]);
  } else if (model === "zlib" && level === 0) {
    const sizes = `(source: ${TEST_BYTES} destination: ${TEST_BYTES_STORED})`;
    lines.push(["warning", "KNET", `compress: Requested compression level (0) did not generate any compressed data ${sizes}`]);
    lines.push(["warning", "KNET", "compress: Requested compression level (0) did not work, switching to default (-1)"]);
  } else if (model === "lzo2") {
    const method = LZO2_METHODS[level];
    if (method !== undefined) lines.push(["debug", "KNET", `lzo2comp: lzo2 will use ${method} internal compress method`]);
    else {
      const fallback = "lzo1x_1_compress will be used as default fallback";
      lines.push(["warning", "KNET", `lzo2comp: Unknown lzo2 internal compress method. ${fallback}`]);
    }
  }
  return lines;
}

/** Bytes of `packet` when compressed; undefined where it goes as it is, being short or not getting any shorter. */
export function compressedSize(c: Compression, packet: Uint8Array): number | undefined {
  const threshold = c.threshold === 0 ? THRESHOLD_DEFAULT : c.threshold;
  if (packet.length <= threshold || !compresses(c)) return undefined;
  let size = FRAME;
  for (let i = 0; i < packet.length; i++) if (i === 0 || packet[i] !== packet[i - 1]) size++;
  return size < packet.length ? size : undefined;
}
