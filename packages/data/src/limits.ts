/**
 * Maximum size in bytes of a file, or of the content of a compressed file, as lengths in zlib and Node have
 * 32 bits.
 */
export const MAX_DATA_BYTES: number = 2 ** 31 - 1;

/** Maximum number of bytes to which deflate can expand one byte, so that larger claims are false. */
export const MAX_INFLATION: number = 1032;

/** Maximum size of a text in bytes, as its code points take four times as much memory. */
export const MAX_TEXT_BYTES: number = 2 ** 29;

/**
 * Maximum number of classes or tokens, more than any data set has, so that a damaged number cannot claim
 * unlimited memory.
 */
export const MAX_CLASSES: number = 2 ** 24;
