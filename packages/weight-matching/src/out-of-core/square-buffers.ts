import type { AssignmentSolver } from "../assignment/assignment-solver.ts";

/** A matrix to add up costs in, and another that is free until the next assignment. */
export interface SquarePair {
  /** Matrix `[units, units]`, with any contents; valid until its place is asked for again. */
  readonly sum: Float32Array;
  /**
   * Matrix `[units, units]`, with any contents; valid until any place is asked for, or the solver is used.
   */
  readonly spare: Float32Array;
}

/**
 * Buffers for the costs of a block, used again by the next one: a matrix for each member, and one more that
 * they share. The shared matrix is the solver's own memory, if that is large enough: the solver needs none of
 * it while costs are added up.
 */
export class SquareBuffers {
  readonly #solver: AssignmentSolver;
  readonly #sums: Float32Array[] = [];
  #spare: Float32Array = new Float32Array();

  constructor(solver: AssignmentSolver) {
    this.#solver = solver;
  }

  /**
   * Returns the matrices of a member of a block.
   * @param place - number of the member, from 0
   */
  pair(place: number, units: number): SquarePair {
    const length = units * units;
    let sum = this.#sums[place];
    if (sum === undefined || sum.length < length) {
      sum = new Float32Array(length);
      this.#sums[place] = sum;
    }
    return { sum: sum.subarray(0, length), spare: this.#spareOf(units) };
  }

  #spareOf(units: number): Float32Array {
    const { maxRows, maxColumns } = this.#solver;
    if (units <= Math.min(maxRows, maxColumns)) return this.#solver.costs(units, units);
    const length = units * units;
    if (this.#spare.length < length) this.#spare = new Float32Array(length);
    return this.#spare.subarray(0, length);
  }
}
