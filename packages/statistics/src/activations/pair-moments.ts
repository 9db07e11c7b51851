import { addUnitProducts } from "./kernels/unit-sums.ts";
import type { PairProducts } from "./pair-products.ts";
import { UnitMoments, type UnitStatistics } from "./unit-moments.ts";
import type { UnitPanel } from "./unit-view.ts";

/** Statistics of a value in two networks that saw the same examples. */
export interface PairStatistics {
  readonly a: UnitStatistics;
  readonly b: UnitStatistics;
  /** Population covariance of units of A and B: `[units, units]` for all pairs, `[units]` for equal ones. */
  readonly covariance: Float64Array;
}

/**
 * Means, variances and covariances of units of two networks, batch by batch: means and variances as {@link UnitMoments} has them;
 * products are summed about the means of the first batch, which are near enough to those of all for nothing to cancel.
 */
export class PairMoments {
  readonly #a = new UnitMoments();
  readonly #b = new UnitMoments();
  readonly #products: PairProducts | undefined;
  #shifts: readonly [Float32Array, Float32Array] | undefined;
  #sums: Float64Array = new Float64Array();

  /** @param products - for covariances of all pairs; without it only of equal units */
  constructor(products: PairProducts | undefined) {
    this.#products = products;
  }

  /** Adds a batch: the same samples in both networks. */
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

  /** Statistics of all samples so far. */
  result(): PairStatistics {
    const [a, b] = [this.#a.result(), this.#b.result()];
    const [shiftA = new Float32Array(), shiftB = new Float32Array()] = this.#shifts ?? [];
    const [left, right] = [apart(a.mean, shiftA), apart(b.mean, shiftB)];
    const all = this.#products !== undefined;
    const covariance = this.#sums.map((sum, i) => {
      const [u, v] = all ? [Math.floor(i / right.length), i % right.length] : [i, i];
      return sum / a.count - (left[u] ?? 0) * (right[v] ?? 0);
    });
    return { a, b, covariance };
  }
}

function apart(x: Float64Array, y: Float32Array): Float64Array {
  return x.map((value, unit) => value - (y[unit] ?? 0));
}
