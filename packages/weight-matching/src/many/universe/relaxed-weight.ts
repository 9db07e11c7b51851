import { at } from "@isthmus/core";
import {
  type BothMaps,
  measureBoth,
  measureRows,
  moveColumns,
  moveRows,
  moveRowsWithin,
  type StepGram,
  stepBoth,
  stepRows,
  type TwoSided,
} from "./kernels/relax.ts";
import type { StepSums } from "./kernels/sums.ts";
import type { ComponentMaps, PartedWeight } from "./parted-weight.ts";

/**
 * A weight of one network in the universe, under relaxed permutations: matrices between permutations, one on
 * each axis that moves.
 *
 * For a weight `W` with relaxed permutations `P` and `Q` on its two axes, the products `P W`, `W Q'` and
 * `P W Q'` are kept. A step of `P` and `Q` towards permutations changes each of them by permuted copies of
 * the others, so no product with a dense matrix is ever computed. With one axis, `P W` alone is kept.
 */
export class RelaxedWeight {
  readonly weight: PartedWeight;
  /** The weight relaxed along all its components, as it lies in the universe. */
  readonly image: Float32Array;
  /** The weight with all units in their original places. */
  readonly #still: Float32Array;
  /** The weight relaxed along each component alone; undefined if it has only one component. */
  readonly #along: Pick<TwoSided, "alongRows" | "alongColumns"> | undefined;
  /** Maps of the placement that it faces; after {@link place}, of the placement that it has. */
  #maps: ComponentMaps = [];
  #isPlaced = false;

  /** @param values - the weight, part by part, with all units in their original places */
  constructor(weight: PartedWeight, values: Float32Array) {
    this.weight = weight;
    this.image = values.slice();
    this.#still = values;
    this.#along =
      weight.components.length > 1 ? { alongRows: values.slice(), alongColumns: values.slice() } : undefined;
  }

  /** Whether {@link besides} never changes, as the weight has one component only. */
  get isFixedBesides(): boolean {
    return this.#along === undefined;
  }

  /** Returns the weight relaxed along all components but one. */
  besides(component: number): Float32Array {
    if (this.#along === undefined) return this.#still;
    return component === 0 ? this.#along.alongColumns : this.#along.alongRows;
  }

  /** Finds the positions of each component that would come from elsewhere than now, ascending. */
  movesTo(maps: ComponentMaps): Int32Array[] {
    return maps.map((map, component) => {
      const now = this.#isPlaced ? at(this.#maps, component, "component") : undefined;
      return Int32Array.from(map.keys()).filter((position) => map[position] !== now?.[position]);
    });
  }

  /** Permutes the weight, and forgets its relaxation. */
  place(maps: ComponentMaps): void {
    const [rows, columns = new Int32Array()] = this.movesTo(maps) as [Int32Array, Int32Array?];
    this.#maps = maps;
    this.#isPlaced = true;
    if (this.#along === undefined) {
      moveRows(this.#still, at(maps, 0, "component"), rows, this.image);
      return;
    }
    const { alongRows, alongColumns } = this.#along;
    const { rowMap, columnMap } = this.#bothMaps();
    moveRows(this.#still, rowMap, rows, alongRows);
    moveColumns(this.#still, columnMap, columns, alongColumns);
    moveRows(alongColumns, rowMap, rows, this.image);
    if (rows.length === rowMap.length) return;
    moveRowsWithin(alongColumns, this.weight.extents, { map: rowMap, some: columns }, this.image);
  }

  /** Turns to permutations: the next step leads towards them. */
  face(maps: ComponentMaps): void {
    this.#maps = maps;
    this.#isPlaced = false;
  }

  /**
   * Measures the step that it faces: after a step of `t` the image is
   * `(1 - t)^2 image + t (1 - t) cross + t^2 vertex`.
   * @param sums - cross and vertex are added to those
   * @returns the inner products of image, cross and vertex
   */
  measure({ cross, vertex }: Pick<StepSums, "cross" | "vertex">): StepGram {
    const arrays = this.#arrays();
    return this.#along === undefined || cross === undefined
      ? measureRows(arrays, at(this.#maps, 0, "component"), vertex)
      : measureBoth({ ...arrays, ...this.#along }, this.weight.extents, this.#bothMaps(), { cross, vertex });
  }

  /** Takes a step of `t` in `[0, 1]` towards the permutations that it faces; a whole step arrives there. */
  step(t: number): void {
    const arrays = this.#arrays();
    if (t === 1) this.place(this.#maps);
    else if (this.#along === undefined) stepRows(arrays, at(this.#maps, 0, "component"), t);
    else stepBoth({ ...arrays, ...this.#along }, this.weight.extents, this.#bothMaps(), t);
  }

  #arrays() {
    return { still: this.#still, image: this.image };
  }

  #bothMaps(): BothMaps {
    const [rowMap, columnMap] = this.#maps as [Int32Array, Int32Array];
    return { rowMap, columnMap };
  }
}
