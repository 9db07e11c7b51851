/** Bytes of sums that all members of a matching keep together. */
const KEPT_BYTES = 2 ** 29;

/** A holder of sums that can be made again. */
export interface SumHolder {
  /** Bytes of the sums that it holds, or will hold when it is used. */
  readonly bytes: number;
  /** Drops the sums. */
  drop(): void;
}

/** Purposes of shared memory: factors of A and B, and what rows of B were before. */
type Purpose = "a" | "b" | "earlier";

/**
 * Memory that the costs of a matching share: the factors of a product take turns in the same memory, and of
 * the sums only the most recently used are kept.
 */
export class PanelMemory {
  readonly #limit: number;
  /** Holders of sums, in the order of their last use, with their bytes. */
  readonly #holders = new Map<SumHolder, number>();
  #bytes = 0;
  readonly #scratch = new Map<Purpose, Float32Array>();
  /** Memory for sums that is not in use, by length. */
  readonly #spares = new Map<number, Float32Array>();

  constructor(limit: number = KEPT_BYTES) {
    this.#limit = limit;
  }

  /** Makes room for the sums of a holder that is used next. */
  use(holder: SumHolder): void {
    this.#forget(holder);
    for (const earlier of this.#holders.keys()) {
      if (this.#bytes + holder.bytes <= this.#limit) break;
      earlier.drop();
      this.#forget(earlier);
    }
    this.#holders.set(holder, holder.bytes);
    this.#bytes += holder.bytes;
  }

  #forget(holder: SumHolder): void {
    this.#bytes -= this.#holders.get(holder) ?? 0;
    this.#holders.delete(holder);
  }

  /** Returns memory of `length` elements, whatever they are; valid until the next call for the purpose. */
  scratch(purpose: Purpose, length: number): Float32Array {
    const existing = this.#scratch.get(purpose);
    if (existing !== undefined && existing.length >= length) return existing.subarray(0, length);
    const grown = new Float32Array(length);
    this.#scratch.set(purpose, grown);
    return grown;
  }

  /** Returns memory for a sum of `length` elements, whatever they are. */
  takeSum(length: number): Float32Array {
    const spare = this.#spares.get(length);
    if (spare === undefined) return new Float32Array(length);
    this.#spares.delete(length);
    return spare;
  }

  /** Takes memory for a sum back that nothing uses any more. */
  returnSum(sum: Float32Array): void {
    this.#spares.set(sum.length, sum);
  }
}
