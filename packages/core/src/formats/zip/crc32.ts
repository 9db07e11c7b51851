import * as zlib from "node:zlib";

/** Function of Node.js, which is missing before 20.15. */
const native = (zlib as { crc32?: (data: Uint8Array, value?: number) => number }).crc32;

/** CRC-32 of bytes that are passed part by part, as zip archives store it. */
export class RunningCrc32 {
  #value = 0;

  /** Adds the next bytes. */
  update(bytes: Uint8Array): void {
    this.#value = (native ?? crc32)(bytes, this.#value);
  }

  /** Returns the checksum of all bytes so far. */
  value(): number {
    return this.#value;
  }
}

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * 0xedb88320);
  return value;
});

/**
 * Computes the checksum of the bytes behind `value`, followed by `bytes`; used if Node.js has no such
 * function.
 */
export function crc32(bytes: Uint8Array, value = 0): number {
  let rest = ~value;
  for (const byte of bytes) rest = (rest >>> 8) ^ (TABLE[(rest ^ byte) & 0xff] as number);
  return ~rest >>> 0;
}
