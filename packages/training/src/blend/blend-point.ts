import { OutOfRangeError } from "@isthmus/core";

/** A network of a blend: a set of weights and, at every step, a coefficient that multiplies them. */
export interface BlendPoint {
  /** Name, for example `star`, `anchor` or `bend 1`; no two points have the same. */
  readonly name: string;
  /** Whether its weights are trained. Weights of other points are given, and may differ from step to step. */
  readonly trained: boolean;
}

/**
 * Weights that weight decay acts on in a blend: `points`, each trained point by itself; or `blend`, the
 * blended weights, as if half the sum of their squares times the decay were part of the loss, so that each
 * point gets its share of that gradient (Garipov et al. 2018). AdamW's decay is not part of the loss, and
 * always acts on points.
 */
export type BlendDecay = "points" | "blend";

/** A point of a blend with the names by which its tensors enter the graph of a step. */
export interface BlendedPoint extends BlendPoint {
  /** Data input f32 `[]` that takes its coefficient. */
  readonly coefficient: string;
  /**
   * Names by which the blended weights of this point enter the step, by their names in the network: for a
   * trained point the name of a weight of the step's graph, for a given point the name of a data input.
   */
  readonly weights: ReadonlyMap<string, string>;
}

/**
 * Checks that at least one point of a blend is trained and that no two points have the same name.
 * @throws OutOfRangeError if not
 */
export function assertPoints(points: readonly BlendPoint[]): void {
  const names = points.map(({ name }) => name);
  if (!points.some(({ trained }) => trained)) {
    throw new OutOfRangeError(
      `Cannot train a blend as at least one of its points must be trained: of ${points.length}, none is`,
    );
  }
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated === undefined) return;
  throw new OutOfRangeError(
    `Cannot train a blend as its points need names of their own: two are "${repeated}"`,
  );
}
