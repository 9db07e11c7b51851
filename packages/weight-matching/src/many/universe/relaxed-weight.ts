import { at, dot } from "@isthmus/core";
import { approach, faceBoth, innerProducts, moveColumns, moveRows, stepBoth } from "./kernels/relax.ts";
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
  /** The permuted weight that a step leads to. */
  readonly vertex: Float32Array;
  /** What a step adds at its middle, see {@link face}; the sum of image and vertex with one component. */
  readonly cross: Float32Array | undefined;
  /** The weight as it is. */
  readonly #still: Float32Array;
  /** The weight relaxed along each component alone. */
  readonly #along: readonly Float32Array[];
  #gram: StepGram = [0, 0, 0, 0, 0, 0];
  /** Where it faces; after {@link place}, where it is. */
  #maps: ComponentMaps = [];
  #isPlaced = false;

  /** @param values - the weight, part by part; starts as it is */
  constructor(weight: PartedWeight, values: Float32Array) {
    const isTwoSided = weight.components.length > 1;
    this.weight = weight;
    this.image = values.slice();
    this.vertex = new Float32Array(values.length);
    this.cross = isTwoSided ? new Float32Array(values.length) : undefined;
    this.#still = values;
    this.#along = isTwoSided ? [values.slice(), values.slice()] : [this.image];
  }

  /** Returns the weight relaxed along all components but one. */
  besides(component: number): Float32Array {
    return this.cross === undefined ? this.#still : at(this.#along, 1 - component, "component");
  }

  /** Permutes the weight, and forgets how it was relaxed. */
  place(maps: ComponentMaps): void {
    const [rows, columns] = maps as [Int32Array, Int32Array | undefined];
    const old = this.#isPlaced ? this.#maps : [];
    const hasMoved = (component: number) => !isSameMap(at(maps, component, "component"), old[component]);
    const rowsMoved = hasMoved(0);
    if (rowsMoved) moveRows(this.#still, rows, at(this.#along, 0, "component"));
    if (columns !== undefined) {
      const columnsMoved = hasMoved(1);
      if (columnsMoved) moveColumns(this.#still, columns, at(this.#along, 1, "component"));
      if (rowsMoved || columnsMoved) moveRows(this.besides(0), rows, this.image);
    }
    this.#maps = maps;
    this.#isPlaced = true;
  }

  /**
   * Turns to permutations: after a step of `t` towards them the image is
   * `(1 - t)^2 image + t (1 - t) cross + t^2 vertex`.
   */
  face(maps: ComponentMaps): void {
    this.#maps = maps;
    this.#isPlaced = false;
    const [rows, columns] = maps as [Int32Array, Int32Array | undefined];
    const arrays = this.#twoSided();
    if (arrays !== undefined && columns !== undefined) {
      this.#gram = faceBoth(arrays, this.weight.extents, rows, columns);
      return;
    }
    moveRows(this.#still, rows, this.vertex);
    const [xx, xd, dd] = innerProducts(this.image, this.vertex);
    this.#gram = [xx, xx + xd, xd, xx + 2 * xd + dd, xd + dd, dd];
  }

  /** The inner products of image, cross and vertex. */
  get gram(): StepGram {
    return this.#gram;
  }

  /** Takes a step of `t` in `[0, 1]` towards the permutations that it faces. */
  step(t: number): void {
    const [rowMap, columnMap] = this.#maps as [Int32Array, Int32Array | undefined];
    const arrays = this.#twoSided();
    if (arrays === undefined || columnMap === undefined) approach(this.image, this.vertex, t);
    else stepBoth(arrays, this.weight.extents, { rowMap, columnMap, t });
  }

  #twoSided() {
    const { image, cross, vertex } = this;
    if (cross === undefined) return undefined;
    const [alongRows, alongColumns] = this.#along as [Float32Array, Float32Array];
    return { still: this.#still, alongRows, alongColumns, image, cross, vertex };
  }
}

function isSameMap(map: Int32Array, old: Int32Array | undefined): boolean {
  return old?.every((from, to) => from === map[to]) ?? false;
}

/** The inner products of the three arrays that a step of a weight is made of. */
export type StepGram = readonly [xx: number, xc: number, xd: number, cc: number, cd: number, dd: number];

/** Computes the inner products of sums of image, cross and vertex. */
export function gramOfSums({
  image,
  cross,
  vertex,
}: Readonly<Record<"image" | "cross" | "vertex", Float64Array>>): StepGram {
  const [x, c, d] = [f64(image), f64(cross), f64(vertex)];
  return [dot(x, x), dot(x, c), dot(x, d), dot(c, c), dot(c, d), dot(d, d)];
}

const f64 = (data: Float64Array) => ({ dtype: "f64" as const, data });
