import { at, blendInto, dot, type Elements } from "@isthmus/core";
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
  /** What a step adds at its middle, see {@link face}. */
  readonly cross: Float32Array;
  /** The permuted weight that a step leads to. */
  readonly vertex: Float32Array;
  /** The weight as it is. */
  readonly #still: Float32Array;
  /** The weight relaxed along each component alone. */
  readonly #along: readonly Float32Array[];
  #maps: ComponentMaps = [];

  /** @param values - the weight, part by part; starts as it is */
  constructor(weight: PartedWeight, values: Float32Array) {
    this.weight = weight;
    this.image = values.slice();
    this.cross = new Float32Array(values.length);
    this.vertex = new Float32Array(values.length);
    this.#still = values;
    this.#along = weight.components.length === 1 ? [this.image] : weight.components.map(() => values.slice());
  }

  /** Returns the weight relaxed along all components but one. */
  besides(component: number): Float32Array {
    return this.weight.components.length === 1 ? this.#still : at(this.#along, 1 - component, "component");
  }

  /** Permutes the weight, and forgets how it was relaxed. */
  place(maps: ComponentMaps): void {
    const { weight, image } = this;
    const [first, second] = maps as [Int32Array, Int32Array | undefined];
    weight.permuteInto(this.#still, 0, first, at(this.#along, 0, "component"));
    if (second === undefined) return;
    weight.permuteInto(this.#still, 1, second, at(this.#along, 1, "component"));
    weight.permuteInto(this.besides(1), 1, second, image);
  }

  /**
   * Turns to permutations: after a step of `t` towards them the image is
   * `(1 - t)^2 image + t (1 - t) cross + t^2 vertex`.
   */
  face(maps: ComponentMaps): void {
    const { weight, image, cross, vertex } = this;
    this.#maps = maps;
    const [first, second] = maps as [Int32Array, Int32Array | undefined];
    if (second === undefined) {
      weight.permuteInto(this.#still, 0, first, vertex);
      blendInto([f32(image), f32(vertex)], [1, 1], f32(cross));
      return;
    }
    // Until the vertex is known, its memory holds terms on the way.
    weight.permuteInto(this.besides(0), 0, first, cross);
    weight.permuteInto(this.besides(1), 1, second, vertex);
    blendInto([f32(cross), f32(vertex)], [1, 1], f32(cross));
    const half = weight.permuteInto(this.#still, 0, first, new Float32Array(image.length));
    weight.permuteInto(half, 1, second, vertex);
  }

  /** Takes a step of `t` in `[0, 1]` towards the permutations that it faces. */
  step(t: number): void {
    const { image, cross, vertex } = this;
    const weights = [(1 - t) ** 2, t * (1 - t), t ** 2];
    blendInto([f32(image), f32(cross), f32(vertex)], weights, f32(image));
    if (this.#along.length === 1) return;
    for (const [component, along] of this.#along.entries()) {
      const map = at(this.#maps, component, "component");
      const permuted = this.weight.permuteInto(this.#still, component, map, vertex);
      blendInto([f32(along), f32(permuted)], [1 - t, t], f32(along));
    }
  }
}

/** Wraps numbers for the kernels of core. */
export const f32 = (data: Float32Array): Elements => ({ dtype: "f32", data });

/** The inner products of the three arrays that a step of a weight is made of. */
export type StepGram = readonly [xx: number, xc: number, xd: number, cc: number, cd: number, dd: number];

/** Computes the inner products of image, cross and vertex. */
export function stepGram({
  image,
  cross,
  vertex,
}: Pick<RelaxedWeight, "image" | "cross" | "vertex">): StepGram {
  const [x, c, d] = [f32(image), f32(cross), f32(vertex)];
  return [dot(x, x), dot(x, c), dot(x, d), dot(c, c), dot(c, d), dot(d, d)];
}
