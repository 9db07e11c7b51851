import { addUnitSums } from "./kernels/unit-sums.ts";
import type { UnitPanel } from "./unit-view.ts";

/** Mean and variance of each unit of a value over the samples of a data set. */
export interface UnitStatistics {
  /** Samples of each unit: examples times the extents of all other axes. */
  readonly count: number;
  /** `[units]` */
  readonly mean: Float64Array;
  /** Population variance, at least 0, `[units]`. */
  readonly variance: Float64Array;
}

/** What one batch adds: its count, its means about 0 and its centred sums of squares. */
interface BatchMoments {
  readonly count: number;
  readonly mean: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Means and variances of units, batch by batch, in f64; batches are merged as Chan, Golub and LeVeque (1983) do, so that how
 * samples fall into batches changes nothing beyond rounding of f64.
 */
export class UnitMoments {
  #count = 0;
  #mean: Float64Array = new Float64Array();
  #squares: Float64Array = new Float64Array();

  /** A point near the mean of each unit, about which sums of the next batch are exact enough, `[units]`. */
  #shiftFor({ data, units, inner }: UnitPanel): Float64Array {
    if (this.#count > 0) return this.#mean;
    return Float64Array.from({ length: units }, (_, unit) => data[unit * inner] ?? 0);
  }

  /** Adds a batch. */
  add(panel: UnitPanel): void {
    const shift = this.#shiftFor(panel);
    const { outer, units, inner } = panel;
    const count = outer * inner;
    const sums = new Float64Array(units);
    const squares = new Float64Array(units);
    addUnitSums(panel.data, shift, sums, squares, inner);
    const mean = sums.map((sum, unit) => (shift[unit] ?? 0) + sum / count);
    const centred = squares.map((square, unit) => Math.max(0, square - (sums[unit] ?? 0) ** 2 / count));
    this.#merge({ count, mean, squares: centred });
  }

  #merge({ count, mean, squares }: BatchMoments): void {
    if (this.#count === 0) {
      this.#count = count;
      this.#mean = mean.slice();
      this.#squares = squares.slice();
      return;
    }
    const total = this.#count + count;
    const share = count / total;
    this.#squares = this.#squares.map((square, unit) => {
      const apart = (mean[unit] ?? 0) - (this.#mean[unit] ?? 0);
      return square + (squares[unit] ?? 0) + apart * apart * this.#count * share;
    });
    this.#mean = this.#mean.map((old, unit) => old + ((mean[unit] ?? 0) - old) * share);
    this.#count = total;
  }

  /** Means so far, `[units]`. */
  get mean(): Float64Array {
    return this.#mean;
  }

  /** Statistics of all samples so far. */
  result(): UnitStatistics {
    const count = this.#count;
    return { count, mean: this.#mean.slice(), variance: this.#squares.map((square) => square / count) };
  }
}
