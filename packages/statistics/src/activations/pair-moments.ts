import { allCovariances, difference, equalCovariances } from "./kernels/covariances.ts";
import { addUnitProducts } from "./kernels/unit-sums.ts";
import type { PairProducts } from "./pair-products.ts";
import { UnitMoments, type UnitStatistics } from "./unit-moments.ts";
import type { UnitPanel } from "./unit-view.ts";

/** Statistics of a value in two networks over the same examples. */
export interface PairStatistics {
  /** Statistics of the units of A. */
  readonly a: UnitStatistics;
  /** Statistics of the units of B. */
  readonly b: UnitStatistics;
  /**
   * Population covariances of units of A and B: `[units, units]` for all pairs, `[units]` for equal units.
   */
  readonly covariance: Float64Array;
}

/**
 * Means, variances and covariances of units of two networks, added up batch by batch. Means and variances are
 * computed as by {@link UnitMoments}; products are summed about the means of the first batch, which are close
 * enough to the means of all batches to lose no digits by cancellation.
 */
export class PairMoments {
  readonly #a = new UnitMoments();
  readonly #b = new UnitMoments();
  readonly #products: PairProducts | undefined;
  #shifts: readonly [Float32Array, Float32Array] | undefined;
  #sums: Float64Array = new Float64Array();

  /**
   * @param products - sums of products of all pairs of units; undefined for covariances of equal units only
   */
  constructor(products: PairProducts | undefined) {
    this.#products = products;
  }

  /** Adds a batch, with the same samples in both networks. */
  async add(a: UnitPanel, b: UnitPanel): Promise<void> {
    this.#a.add(a);
    this.#b.add(b);
    if (this.#shifts === undefined) {
      this.#shifts = [Float32Array.from(this.#a.mean), Float32Array.from(this.#b.mean)];
      this.#sums = new Float64Array(this.#products === undefined ? a.units : a.units * b.units);
    }
    if (this.#products !== undefined) await this.#products.addTo(this.#sums, a, b, this.#shifts);
    else addUnitProducts(a.data, b.data, this.#shifts, this.#sums, a.inner);
  }

  /** Returns the statistics of all samples so far. */
  result(): PairStatistics {
    const [a, b] = [this.#a.result(), this.#b.result()];
    const [shiftA = new Float32Array(), shiftB = new Float32Array()] = this.#shifts ?? [];
    const [left, right] = [difference(a.mean, shiftA), difference(b.mean, shiftB)];
    const covariances = this.#products === undefined ? equalCovariances : allCovariances;
    return { a, b, covariance: covariances(this.#sums, left, right, a.count) };
  }
}
