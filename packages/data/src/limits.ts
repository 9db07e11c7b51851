/** Longest file, or content of a compressed one, that is read whole, kept below what 32-bit lengths in zlib and Node hold. */
export const MAX_DATA_BYTES: number = 2 ** 31 - 1;

/** Most bytes deflate can make of one: a claim beyond it cannot be met. */
export const MAX_INFLATION: number = 1032;

/** Longest text: its code points take four times as much memory. */
export const MAX_TEXT_BYTES: number = 2 ** 29;
