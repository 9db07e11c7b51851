/** A network of a blend: a set of weights that counts with a coefficient of its own. */
export interface BlendPoint {
  /** For example `star`, `anchor` or `bend 1`; each point has another. */
  readonly name: string;
  /** Whether its weights are trained; those of others are given, and may be others at every step. */
  readonly trained: boolean;
}

/**
 * What weight decay pulls at in a blend: at each trained point by itself, or at the blended weights, as if half their squares times
 * the decay were part of the loss, of which each point gets its share (Garipov et al. 2018). AdamW's decay is part of no loss, and
 * always pulls at points.
 */
export type BlendDecay = "points" | "blend";

/** How a point enters the step of a blend. */
export interface BlendedPoint extends BlendPoint {
  /** Data input f32 `[]` for its coefficient. */
  readonly coefficient: string;
  /**
   * For every weight that is blended, by its name in the network, what holds it at this point: of a trained point a weight of the
   * step, of a given one a data input.
   */
  readonly weights: ReadonlyMap<string, string>;
}

/**
 * Checks that there is something to train, under names that tell points apart.
 * @throws RangeError if not
 */
export function assertPoints(points: readonly BlendPoint[]): void {
  const names = points.map(({ name }) => name);
  if (!points.some(({ trained }) => trained)) {
    throw new RangeError(
      `Cannot train a blend as at least one of its points must be trained: of ${points.length}, none is`,
    );
  }
  const again = names.find((name, i) => names.indexOf(name) !== i);
  if (again === undefined) return;
  throw new RangeError(`Cannot train a blend as its points need names of their own: two are "${again}"`);
}
