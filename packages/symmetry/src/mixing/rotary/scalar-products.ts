import { factorOf, ONE, type SignedSets } from "../../linear/signed-sets.ts";
import type { Phased } from "./phased-sets.ts";
import type { PlaceTable } from "./place-table.ts";

/** Places and their algebra, which knows facts about places and takes demands. */
interface KnownPlaces {
  readonly places: PlaceTable;
  readonly factors: SignedSets;
  partOf(code: number): Phased;
  factorAt(code: number): number;
  fixPlace(code: number): void;
}

/** Products of two places each in a sum: of one complex number with another. */
interface ScalarProduct {
  readonly one: Phased & { readonly mark: number };
  readonly two: Phased & { readonly mark: number };
  readonly codes: number[];
  real: number;
  imaginary: number;
  isWhole: boolean;
}

/** A sum of products of places, which must be made of whole scalar products of complex numbers. */
class ScalarProducts {
  readonly #algebra: KnownPlaces;
  readonly #products = new Map<number, ScalarProduct>();

  constructor(algebra: KnownPlaces) {
    this.#algebra = algebra;
  }

  add(left: number, right: number): void {
    const { places } = this.#algebra;
    if (this.#algebra.factorAt(left) === ONE || this.#algebra.factorAt(right) === ONE) {
      this.#algebra.fixPlace(left);
      this.#algebra.fixPlace(right);
      return;
    }
    const one = { ...this.#algebra.partOf(left), mark: places.markOf(left) };
    const two = { ...this.#algebra.partOf(right), mark: places.markOf(right) };
    const product = this.#products.get(one.root) ?? {
      one,
      two,
      codes: [],
      real: 0,
      imaginary: 0,
      isWhole: true,
    };
    this.#products.set(one.root, product);
    product.codes.push(left, right);
    if (((one.phase - product.one.phase) & 1) === 0) product.real++;
    else product.imaginary++;
    const isSame =
      two.root === product.two.root && one.mark === product.one.mark && two.mark === product.two.mark;
    const isParallel = ((two.phase - one.phase - product.two.phase + product.one.phase) & 3) === 0;
    if (!isSame || !isParallel) product.isWhole = false;
  }

  /** Demands the conditions under which the sum does not change. */
  demand(): void {
    const { factors } = this.#algebra;
    for (const { one, two, codes, real, imaginary, isWhole } of this.#products.values()) {
      if (isWhole && real === imaginary) {
        factors.unite(factorOf(one.root), factors.invert(factorOf(two.root)));
      } else {
        for (const code of codes) this.#algebra.fixPlace(code);
      }
    }
  }
}

/**
 * Demands the conditions under which sums of products of places do not change: along each line of `extent`
 * places, `inner` apart, they consist of whole scalar products, and the factor of one number of such a
 * product divides the conjugate of the other.
 */
export function demandProducts(
  algebra: KnownPlaces,
  [left, right]: readonly [Int32Array, Int32Array],
  { extent, inner }: { readonly extent: number; readonly inner: number },
): void {
  for (let block = 0; block < left.length; block += extent * inner) {
    for (let first = block; first < block + inner; first++) {
      const line = new ScalarProducts(algebra);
      for (let k = 0; k < extent; k++) {
        const index = first + k * inner;
        line.add(left[index] as number, right[index] as number);
      }
      line.demand();
    }
  }
}
