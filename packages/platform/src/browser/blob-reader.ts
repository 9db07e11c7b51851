/** Number of bytes of a block, which is read as fast as some kilobytes. */
const BLOCK_BYTES = 2 ** 22;

/** Largest part that is read with the block around it. */
const SMALL_BYTES = 2 ** 19;

/** Largest distance of two parts for which their block is read: one row in twenty is read by itself. */
const NEAR_BYTES = 2 ** 17;

/** Number of blocks that are kept. */
const KEPT_BLOCKS = 4;

/**
 * Reads parts of a file of the person's machine. A browser takes as long for a few kilobytes as for a few
 * megabytes, so that whole blocks are read, and kept for a while, if several small parts that lie close
 * together are asked for, as by samples of rows.
 */
export class BlobReader {
  readonly #blob: Blob;
  /** Ends of the last small parts that were read of blocks, by the numbers of the blocks. */
  readonly #ends = new Map<number, number>();
  /** Blocks by their numbers, the one that was used last at the end. */
  readonly #blocks = new Map<number, Promise<Uint8Array>>();

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  /** Reads bytes `[begin, end)`, as many of them as the file has. */
  async read(begin: number, end: number): Promise<Uint8Array> {
    const number = Math.floor(begin / BLOCK_BYTES);
    const isSmall = end - begin <= SMALL_BYTES && end <= (number + 1) * BLOCK_BYTES;
    if (!isSmall) return this.#bytes(begin, end);
    const last = this.#ends.get(number);
    this.#ends.set(number, end);
    if (last === undefined || Math.abs(begin - last) > NEAR_BYTES) return this.#bytes(begin, end);
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
