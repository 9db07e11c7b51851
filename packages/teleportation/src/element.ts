import { at } from "@isthmus/core";
import {
  type DiagonalSymmetry,
  type MixingSpace,
  type Mixture,
  mixInPlace,
  type Occurrence,
} from "@isthmus/symmetry";
import { multiplyInPlace } from "@isthmus/symmetry/layout";

/** Weights of a network in f64, by name. */
export type Doubles = Map<string, Float64Array>;

/**
 * An element of the symmetry group of a network: it mixes the units of each space by a matrix of the space's
 * group, then multiplies units by their scales.
 */
export interface Element {
  /** Matrix of each space, and its inverse, transposed. */
  readonly mixture: Mixture;
  /** Number of each scale variable, `[variables]`, not 0. */
  readonly scales: Float64Array;
}

/** Symmetry group of a network: the places in the weights that matrices mix and scales multiply. */
export interface Group {
  /** Spaces that matrices mix. */
  readonly spaces: readonly MixingSpace[];
  /** Occurrences of the spaces in each weight. */
  readonly occurrences: ReadonlyMap<string, readonly Occurrence[]>;
  /** Scales of units. */
  readonly scales: DiagonalSymmetry;
}

/** Applies an element to weights: weights that it changes are copies, all others are shared. */
export function act(
  group: Group,
  { mixture, scales }: Element,
  weights: ReadonlyMap<string, Float64Array>,
): Doubles {
  return scaled(group, scales, mixed(group, mixture, weights));
}

/** Applies the inverse of an element to weights, or to changes of weights. */
export function undo(
  group: Group,
  { mixture, scales }: Element,
  changes: ReadonlyMap<string, Float64Array>,
): Doubles {
  const apart = scaled(group, reciprocals(scales), changes, 0);
  return mixed(group, inverseOf(group.spaces, mixture), apart);
}

/**
 * Carries gradients along with weights: if an element moves the weights of a network, the gradient of its
 * loss moves by the inverse of the element, transposed.
 */
export function carry(
  group: Group,
  { mixture: { matrices, inverses }, scales }: Element,
  gradients: ReadonlyMap<string, Float64Array>,
): Doubles {
  const dual = { matrices: inverses, inverses: matrices };
  return scaled(group, reciprocals(scales), mixed(group, dual, gradients), 0);
}

/** Carries gradients back: the inverse of {@link carry}. */
export function carryBack(
  group: Group,
  { mixture: { matrices, inverses }, scales }: Element,
  gradients: ReadonlyMap<string, Float64Array>,
): Doubles {
  const dual = { matrices: inverses, inverses: matrices };
  return mixed(group, inverseOf(group.spaces, dual), scaled(group, scales, gradients, 0));
}

/** Mixes weights: changed weights are copies. */
function mixed(
  { occurrences }: Pick<Group, "occurrences">,
  mixture: Mixture,
  weights: ReadonlyMap<string, Float64Array>,
): Doubles {
  const result = new Map(weights);
  for (const [name, places] of occurrences) {
    const values = weights.get(name)?.slice();
    if (values === undefined) continue;
    mixInPlace(values, places, mixture);
    result.set(name, values);
  }
  return result;
}

/**
 * Multiplies weights by scales: changed weights are copies.
 * @param origin - the number around which weights are multiplied; the graph's own if missing, and 0 for
 *   changes of weights and gradients
 */
export function scaled(
  { scales: { weights: layouts } }: Pick<Group, "scales">,
  scales: Float64Array,
  weights: ReadonlyMap<string, Float64Array>,
  origin?: number,
): Doubles {
  const result = new Map(weights);
  for (const [name, layout] of layouts) {
    const values = weights.get(name)?.slice();
    if (values === undefined) continue;
    multiplyInPlace(values, 0, origin === undefined ? layout : { ...layout, origin }, scales);
    result.set(name, values);
  }
  return result;
}

/** Divides 1 by each number. */
export const reciprocals = (scales: Float64Array): Float64Array => scales.map((scale) => 1 / scale);

/** Inverts a mixture: its matrices are the transposed inverses, transposed. */
function inverseOf(spaces: readonly MixingSpace[], { matrices, inverses }: Mixture): Mixture {
  const transposed = (list: readonly Float64Array[]) =>
    spaces.map(({ size }, index) => {
      const matrix = at(list, index, "space");
      return matrix.map((_, place) => matrix[(place % size) * size + Math.floor(place / size)] as number);
    });
  return { matrices: transposed(inverses), inverses: transposed(matrices) };
}
