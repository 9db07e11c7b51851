import { at, InvariantError } from "@isthmus/core";
import { countUpperBits, LOWER_BITS } from "../kernels/magnitudes.ts";
import type { RankOrder } from "./rank-cut.ts";

/** How often the upper 16 bits of magnitudes occur. */
export class UpperBits {
  /** Elements that are 0. */
  zeros = 0;
  readonly #even = new Uint32Array(2 ** (31 - LOWER_BITS));
  readonly #odd = new Uint32Array(2 ** (31 - LOWER_BITS));

  see(patterns: Int32Array): void {
    this.zeros += countUpperBits(patterns, this.#even, this.#odd);
  }

  /** Returns how many elements were seen with each upper bits. */
  counts(): Uint32Array {
    return this.#even.map((count, bin) => count + at(this.#odd, bin, "bin"));
  }
}

/** Finds the bin in which the `count`-th element is, and how many of its elements count. */
export function findBin(counts: Uint32Array, count: number, order: RankOrder): [number, number] {
  let before = 0;
  for (let k = 0; k < counts.length; k++) {
    const bin = order === "largest" ? counts.length - 1 - k : k;
    const inBin = at(counts, bin, "bin");
    if (before + inBin >= count) return [bin, count - before];
    before += inBin;
  }
  throw new InvariantError(`Cannot find element ${count} as there must be as many: there are ${before}`);
}
