import { firstSamples, type Moments, mergeMoments, momentsAbout } from "./kernels/moments.ts";
import { addUnitSums } from "./kernels/unit-sums.ts";
import type { UnitPanel } from "./unit-view.ts";

/** Mean and variance of each unit of a value over the samples of a data set. */
export interface UnitStatistics {
  /** Number of samples of each unit: examples times the extents of all other axes. */
  readonly count: number;
  /** Means, `[units]`. */
  readonly mean: Float64Array;
  /** Population variance, at least 0, `[units]`. */
  readonly variance: Float64Array;
}

/**
 * Means and variances of units, added up batch by batch in f64. Batches are merged as by Chan, Golub and
 * LeVeque (1983), so that the split of samples into batches changes nothing beyond rounding of f64.
 */
export class UnitMoments {
  #moments: Moments = { count: 0, mean: new Float64Array(), squares: new Float64Array() };

  /**
   * Returns a point near the mean of each unit, about which sums of the next batch are exact enough,
   * `[units]`.
   */
  #shiftFor({ data, units, inner }: UnitPanel): Float64Array {
    return this.#moments.count > 0 ? this.#moments.mean : firstSamples(data, units, inner);
  }

  /** Adds a batch. */
  add(panel: UnitPanel): void {
    const shift = this.#shiftFor(panel);
    const { outer, units, inner } = panel;
    const count = outer * inner;
    const sums = new Float64Array(units);
    const squares = new Float64Array(units);
    addUnitSums(panel.data, shift, sums, squares, inner);
    const added = momentsAbout(shift, { count, sums, squares });
    this.#moments = this.#moments.count === 0 ? added : mergeMoments(this.#moments, added);
  }

  /** Means so far, `[units]`. */
  get mean(): Float64Array {
    return this.#moments.mean;
  }

  /** Returns the statistics of all samples so far. */
  result(): UnitStatistics {
    const { count, mean, squares } = this.#moments;
    return { count, mean: mean.slice(), variance: squares.map((square) => square / count) };
  }
}
