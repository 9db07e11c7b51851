import { at } from "@isthmus/core";

/** Largest scalar product of vectors of a Krylov space for which they are left. */
const MOST = 1e-5;

/** Scalar product of vectors that were just made orthogonal in f64. */
const ROUNDING = 1e-15;

/** Number of first steps in which rounding errors of products are measured. */
const MEASURED = 8;

/** Tridiagonal matrix of an operator on a Krylov space. */
interface Tridiagonal {
  readonly diagonal: readonly number[];
  /** Coupling of each vector to the next one. */
  readonly coupling: readonly number[];
}

/**
 * Estimates the scalar products of the newest vectors of a Krylov space with all before, which say when
 * vectors must be made orthogonal again: as often as rounding errors grow, instead of in each step.
 *
 * Errors of the operator's matrix on the space are of the order of their squares. Vectors are made orthogonal
 * in pairs, as the next two depend on both.
 *
 * Differs from the paper in that rounding errors are measured in the first steps, and again whenever vectors
 * are made orthogonal, as products of an engine are rounded to f32.
 * @see Simon, The Lanczos algorithm with partial reorthogonalization, 1984, sections 3 and 4
 */
export class Overlaps {
  #current: readonly number[] = [];
  #before: readonly number[] = [];
  /** Largest estimate for the next vector. */
  #bound = 0;
  /** Largest part of a product along a vector that exact products have no part along. */
  #rounding = 0;
  #isSecond = false;

  /**
   * Checks whether the next vector can be left, and takes the estimates for it.
   * @param space - diagonal up to the last vector, coupling up to the one before
   * @param length - length of the next vector before it is scaled
   */
  areSmall({ diagonal, coupling }: Tridiagonal, length: number): boolean {
    const last = diagonal.length - 1;
    const of = (values: readonly number[], k: number) => (k < 0 ? 0 : at(values, k, "vector"));
    const next = diagonal.map((value, k) => {
      if (k > last - 2) return this.#rounding / length;
      const grown =
        of(coupling, k) * of(this.#current, k + 1) +
        (value - of(diagonal, last)) * of(this.#current, k) +
        of(coupling, k - 1) * of(this.#current, k - 1) -
        of(coupling, last - 1) * of(this.#before, k);
      return (grown + (grown < 0 ? -1 : 1) * this.#rounding) / length;
    });
    this.#bound = Math.max(...next.map(Math.abs));
    const areSmall = last >= MEASURED && !this.#isSecond && this.#bound <= MOST;
    if (areSmall) this.#take(next);
    return areSmall;
  }

  /**
   * Takes the parts of the next vector that were taken out of it. If they exceed their estimates,
   * rounding errors are larger than was measured.
   * @param length - length of the next vector before it is scaled
   */
  takeOut(parts: Float64Array, length: number): void {
    const most = parts.reduce((largest, part) => Math.max(largest, Math.abs(part)), 0);
    if (this.#rounding === 0) this.#rounding = most;
    else if (most > this.#bound * length) this.#rounding *= most / (this.#bound * length);
    this.#take(Array.from(parts, () => ROUNDING));
    this.#isSecond = !this.#isSecond;
  }

  #take(next: readonly number[]): void {
    this.#before = this.#current;
    this.#current = next;
  }
}
