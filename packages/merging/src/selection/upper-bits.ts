import { InvariantError } from "@isthmus/core";
import { addCounts, countUpperBits, findCount, LOWER_BITS, sumOfCounts } from "../kernels/magnitudes.ts";
import type { RankOrder } from "./rank-cut.ts";

/** Histogram of the upper 16 bits of magnitudes. */
export class UpperBits {
  /** Number of elements that are 0. */
  zeros = 0;
  readonly #even = new Uint32Array(2 ** (31 - LOWER_BITS));
  readonly #odd = new Uint32Array(2 ** (31 - LOWER_BITS));

  see(patterns: Int32Array): void {
    this.zeros += countUpperBits(patterns, this.#even, this.#odd);
  }

  /** Returns the number of examined elements for each value of the upper bits. */
  counts(): Uint32Array {
    const counts = this.#even.slice();
    addCounts(counts, this.#odd);
    return counts;
  }
}

/** Finds the bin of the `count`-th element, and the number of elements of that bin up to it. */
export function findBin(
  counts: Uint32Array,
  count: number,
  order: RankOrder,
): readonly [bin: number, rest: number] {
  const place = findCount(counts, count, order === "smallest" ? "first" : "last");
  if (place[0] >= 0) return place;
  throw new InvariantError(
    `Cannot find element ${count} as there must be as many: there are ${sumOfCounts(counts)}`,
  );
}
