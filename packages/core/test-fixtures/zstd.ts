// Makes data of Zstandard for tests, good and bad.

/** A block: its kind (0 plain, 1 one byte repeated, 2 compressed), what is stored, and the length in its head. */
type Block = readonly [kind: number, stored: readonly number[], length?: number];

/** Makes a frame that states its size, of at most 255 bytes, or a window of 1 MiB if it states none. */
export function zstdFrame(size: number | undefined, blocks: readonly Block[]): Buffer {
  const head = size === undefined ? [0x00, 0x50] : [0x20, size];
  return Buffer.from([
    ...[0x28, 0xb5, 0x2f, 0xfd, ...head],
    ...blocks.flatMap(([kind, stored, length = stored.length], i) => {
      const number = length * 8 + kind * 2 + (i === blocks.length - 1 ? 1 : 0);
      return [number & 255, (number >> 8) & 255, number >> 16, ...stored];
    }),
  ]);
}

/**
 * Makes a frame whose block of 12 bytes claims 98,047 sequences, each of which copies 65,539 bytes: 6 GB are
 * written by a decoder that does not stop at the end of its output.
 */
export function endlessZstd(size?: number): Buffer {
  const literals = [1 << 3, 65];
  const sequences = [255, 255, 255];
  const codes = [0b0101_0100, 0, 0, 52];
  return zstdFrame(size, [[2, [...literals, ...sequences, ...codes, 1]]]);
}
