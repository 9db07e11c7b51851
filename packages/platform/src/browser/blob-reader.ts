/** Number of bytes of a block, which is read as fast as some kilobytes. */
const BLOCK_BYTES = 2 ** 22;

/** Largest part that is read with the block around it. */
const SMALL_BYTES = 2 ** 20;

/** Number of blocks that are kept. */
const KEPT_BLOCKS = 4;

/**
 * Reads parts of a file of the person's machine. A browser takes as long for a few kilobytes as for a few
 * megabytes, so that whole blocks are read, and kept for a while, if more than one small part of them is asked
 * for, as by samples of rows.
 */
export class BlobReader {
  readonly #blob: Blob;
  /** Numbers of the blocks of which a small part was read. */
  readonly #touched = new Set<number>();
  /** Blocks by their numbers, the one that was used last at the end. */
  readonly #blocks = new Map<number, Promise<Uint8Array>>();

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  /** Reads bytes `[begin, end)`, as many of them as the file has. */
  async read(begin: number, end: number): Promise<Uint8Array> {
    const number = Math.floor(begin / BLOCK_BYTES);
    const isSmall = end - begin <= SMALL_BYTES && end <= (number + 1) * BLOCK_BYTES;
    if (!isSmall || !this.#touched.has(number)) {
      if (isSmall) this.#touched.add(number);
      return this.#bytes(begin, end);
    }
    const block = await this.#block(number);
    return block.subarray(begin - number * BLOCK_BYTES, end - number * BLOCK_BYTES);
  }

  #block(number: number): Promise<Uint8Array> {
    const block = this.#blocks.get(number) ?? this.#bytes(number * BLOCK_BYTES, (number + 1) * BLOCK_BYTES);
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > KEPT_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
    return block;
  }

  async #bytes(begin: number, end: number): Promise<Uint8Array> {
    return new Uint8Array(await this.#blob.slice(begin, end).arrayBuffer());
  }
}
