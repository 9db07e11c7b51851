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

/** Means, variances and covariances of units of two networks, batch by batch, in f64, merged as {@link UnitMoments} are. */
export class PairMoments {
  readonly #a = new UnitMoments();
  readonly #b = new UnitMoments();
  readonly #products: PairProducts | undefined;
  #covariance: Float64Array = new Float64Array();

  /** @param products - for covariances of all pairs; without it only of equal units */
  constructor(products: PairProducts | undefined) {
    this.#products = products;
  }

  /** Adds a batch: the same samples in both networks. */
  async add(a: UnitPanel, b: UnitPanel): Promise<void> {
    const shifts = [this.#a.shiftFor(a).slice(), this.#b.shiftFor(b).slice()] as const;
    const before = { count: this.#a.count, a: this.#a.mean, b: this.#b.mean };
    const sums = await this.#sum(a, b, shifts);
    const batchA = this.#a.add(a);
    const batchB = this.#b.add(b);
    const { count } = batchA;
    if (this.#covariance.length === 0) this.#covariance = new Float64Array(sums.length);
    const aboutShift = [apart(batchA.mean, shifts[0]), apart(batchB.mean, shifts[1])] as const;
    addOuter(sums, aboutShift, -count);
    if (before.count > 0) {
      const aboutMean = [apart(batchA.mean, before.a), apart(batchB.mean, before.b)] as const;
      addOuter(sums, aboutMean, (before.count * count) / (before.count + count));
    }
    for (let i = 0; i < sums.length; i++) this.#covariance[i] = (this.#covariance[i] ?? 0) + (sums[i] ?? 0);
  }

  async #sum(
    a: UnitPanel,
    b: UnitPanel,
    shifts: readonly [Float64Array, Float64Array],
  ): Promise<Float64Array> {
    if (this.#products !== undefined) return this.#products.sum(a, b, shifts);
    const sums = new Float64Array(a.units);
    addUnitProducts(a.data, b.data, shifts, sums, a.inner);
    return sums;
  }

  /** Statistics of all samples so far. */
  result(): PairStatistics {
    const a = this.#a.result();
    return { a, b: this.#b.result(), covariance: this.#covariance.map((sum) => sum / a.count) };
  }
}

function apart(x: Float64Array, y: Float64Array): Float64Array {
  return x.map((value, unit) => value - (y[unit] ?? 0));
}

/** Adds `factor a b^T` to all pairs, or `factor a b` to equal ones. */
function addOuter(sums: Float64Array, [a, b]: readonly [Float64Array, Float64Array], factor: number): void {
  if (sums.length === a.length && a.length === b.length) {
    for (let u = 0; u < a.length; u++) sums[u] = (sums[u] ?? 0) + factor * (a[u] ?? 0) * (b[u] ?? 0);
    return;
  }
  for (let u = 0; u < a.length; u++) {
    const left = factor * (a[u] ?? 0);
    const row = u * b.length;
    for (let v = 0; v < b.length; v++) sums[row + v] = (sums[row + v] ?? 0) + left * (b[v] ?? 0);
  }
}
