import { at, InvariantError, OutOfRangeError, sumOf } from "@isthmus/core";
import { createMatrix, plainProducts, solvePositiveDefinite } from "@isthmus/linear-algebra";

/** Limits of the weights of one part of a network. */
export interface WeightLimits {
  /** Smallest and largest weight. @defaultValue any */
  readonly bounds?: readonly [least: number, most: number] | undefined;
  /** Sum of the weights. @defaultValue any */
  readonly sum?: number | undefined;
}

/** A convex quadratic function of weights, `x^T H x / 2 - b^T x`. */
export interface Quadratic {
  /** Symmetric positive semidefinite matrix H, `[weights, weights]`, row-major. */
  readonly matrix: Float64Array;
  /** Vector b, `[weights]`. */
  readonly linear: Float64Array;
}

/** Share of the mean diagonal that is added to the diagonal, so that equal networks share their weight. */
const RIDGE = 1e-10;

/** Mean diagonal up to which a function counts as 0, far above the smallest numbers of f64. */
const LEAST_SCALE = 1e-200;

/** Bounds of weights that have none. */
const ANY = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Distance from a bound, and from a sum, that counts as none, as a share of the numbers. */
const TOLERANCE = 1e-12;

/**
 * Moves weights to the nearest ones within limits: to the bounds, or, with a sum, all by the same number
 * before that, which bisection finds.
 * @throws OutOfRangeError if no weights within the bounds have the sum
 */
export function projectInPlace(weights: Float64Array, { bounds, sum }: WeightLimits): void {
  const [least, most] = bounds ?? ANY;
  const clamp = (value: number) => Math.min(most, Math.max(least, value));
  let shift = 0;
  if (sum !== undefined) {
    const n = weights.length;
    if (!(n * least <= sum && n * most >= sum)) {
      throw new OutOfRangeError(
        `Cannot limit weights as ${n} weights in [${least}, ${most}] must be able to have the sum ${sum}: give other bounds, or another sum`,
      );
    }
    shift = findShift(weights, clamp, sum);
  }
  for (let i = 0; i < weights.length; i++) weights[i] = clamp((weights[i] as number) + shift);
}

/** Finds the number to add to all weights so that, moved to the bounds, they have a sum. */
function findShift(weights: Float64Array, clamp: (value: number) => number, sum: number): number {
  const values = Array.from(weights);
  const excess = (by: number) => sumOf(values.map((value) => clamp(value + by))) - sum;
  const plain = (sum - sumOf(values)) / values.length;
  if (Math.abs(excess(plain)) <= TOLERANCE * (1 + Math.abs(sum))) return plain;
  let width = 1;
  while (excess(plain - width) > 0 || excess(plain + width) < 0) width *= 2;
  let [low, high] = [plain - width, plain + width];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (excess(middle) > 0) high = middle;
    else low = middle;
  }
}

/**
 * Finds the weights within limits at which a convex quadratic function is smallest, by the method of active
 * sets: weights at a bound are held until their multiplier says that they should leave it. If several
 * weights are as good, the ones nearest to `start` are found.
 *
 * @see Nocedal and Wright, Numerical optimization (2006), algorithm 16.3
 * @throws OutOfRangeError if no weights within the bounds have the sum
 */
export async function solveQuadratic(
  { matrix, linear }: Quadratic,
  start: Float64Array,
  limits: WeightLimits = {},
): Promise<Float64Array> {
  const { hessian, target } = withRidge({ matrix, linear }, start);
  const x = start.slice();
  projectInPlace(x, limits);
  const [least, most] = limits.bounds ?? ANY;
  const held = new Map<number, -1 | 1>();
  // Each round holds or frees a weight; a bound on rounds stands for the finite number of sets of them.
  for (let round = 0; round < 100 * (x.length + 1); round++) {
    const free = [...x.keys()].filter((i) => !held.has(i));
    const { point, multiplier } = await minimizeFree({ hessian, target, x, free }, limits.sum);
    const hit = firstBound(x, point, { free, least, most });
    free.forEach((i, k) => {
      x[i] = at(x, i) + hit.share * (at(point, k) - at(x, i));
    });
    if (hit.weight !== undefined) {
      x[hit.weight] = hit.side < 0 ? least : most;
      held.set(hit.weight, hit.side);
      continue;
    }
    const isFixed = free.length === 0 && limits.sum !== undefined;
    const leaving = worstHeld({ hessian, target, x }, held, isFixed ? undefined : multiplier);
    if (leaving.length === 0) return x;
    for (const i of leaving) held.delete(i);
  }
  return x;
}

/**
 * Divides a function by its mean diagonal, and adds a small multiple of the squared distance from the start,
 * so that there is one smallest value.
 */
function withRidge({ matrix, linear }: Quadratic, start: Float64Array): Omit<Problem, "x"> {
  const n = linear.length;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += at(matrix, i * n + i);
  const scale = trace / n;
  // A function that is 0 to rounding has its smallest value everywhere.
  const factor = scale > LEAST_SCALE ? 1 / scale : 0;
  const ridge = factor === 0 ? 1 : RIDGE;
  return {
    hessian: matrix.map((value, i) => factor * value + (i % (n + 1) === 0 ? ridge : 0)),
    target: linear.map((value, i) => factor * value + ridge * at(start, i)),
  };
}

interface Problem {
  readonly hessian: Float64Array;
  readonly target: Float64Array;
  readonly x: Float64Array;
}

/** Minimises by the free weights alone, with the multiplier of the sum; 0 without a sum. */
async function minimizeFree(
  { hessian, target, x, free }: Problem & { readonly free: readonly number[] },
  sum: number | undefined,
): Promise<{ readonly point: Float64Array; readonly multiplier: number }> {
  const n = x.length;
  const m = free.length;
  if (m === 0) return { point: new Float64Array(0), multiplier: 0 };
  const isFree = new Set(free);
  const part = new Float64Array(m * m);
  const right = new Float64Array(2 * m).fill(1);
  for (const [r, i] of free.entries()) {
    for (const [c, j] of free.entries()) part[r * m + c] = at(hessian, i * n + j);
    let value = at(target, i);
    for (let j = 0; j < n; j++) if (!isFree.has(j)) value -= at(hessian, i * n + j) * at(x, j);
    right[2 * r] = value;
  }
  const solved = await solvePositiveDefinite(
    createMatrix(m, m, part),
    createMatrix(m, 2, right),
    plainProducts,
  );
  if (solved === undefined) throw new InvariantError("a matrix with a ridge is not positive definite");
  const { data } = solved;
  const plain = free.map((_, r) => at(data, 2 * r));
  if (sum === undefined) return { point: Float64Array.from(plain), multiplier: 0 };
  const ones = free.map((_, r) => at(data, 2 * r + 1));
  const rest = sum - sumOf(Array.from(x, (value, i) => (isFree.has(i) ? 0 : value)));
  const multiplier = (sumOf(plain) - rest) / sumOf(ones);
  return { point: Float64Array.from(plain, (value, r) => value - multiplier * at(ones, r)), multiplier };
}

/** Finds how far to go towards a point until the first free weight meets a bound. */
function firstBound(
  x: Float64Array,
  point: Float64Array,
  { free, least, most }: { readonly free: readonly number[]; readonly least: number; readonly most: number },
): { readonly share: number; readonly weight: number | undefined; readonly side: -1 | 1 } {
  let nearest: { share: number; weight: number | undefined; side: -1 | 1 } = {
    share: 1,
    weight: undefined,
    side: 1,
  };
  for (const [k, i] of free.entries()) {
    const [from, to] = [at(x, i), at(point, k)];
    const side = to < from ? -1 : 1;
    const bound = side < 0 ? least : most;
    const passes = side < 0 ? to < bound : to > bound;
    if (!passes) continue;
    const share = Math.max(0, (bound - from) / (to - from));
    if (share < nearest.share || nearest.weight === undefined) nearest = { share, weight: i, side };
  }
  return nearest;
}

/**
 * Lists the held weights that should leave their bound: the one with the worst multiplier. If no weight is
 * free, so that the sum has no multiplier of its own, two leave opposite ways, or none.
 */
function worstHeld(
  { hessian, target, x }: Problem,
  held: ReadonlyMap<number, -1 | 1>,
  multiplier: number | undefined,
): readonly number[] {
  const n = x.length;
  const slopes = [...held].map(([i, side]) => {
    let slope = -at(target, i);
    for (let j = 0; j < n; j++) slope += at(hessian, i * n + j) * at(x, j);
    return { i, side, slope };
  });
  const scale = TOLERANCE * (1 + Math.max(0, ...target.map(Math.abs)));
  if (multiplier !== undefined) {
    // A weight at its least may grow if the function falls that way, and the other way round.
    const gains = slopes.map(({ i, side, slope }) => ({ i, gain: side * (slope + multiplier) }));
    const best = gains.reduce((a, b) => (b.gain > a.gain ? b : a), { i: -1, gain: scale });
    return best.i < 0 ? [] : [best.i];
  }
  const rising = slopes.filter(({ side }) => side < 0).sort((a, b) => a.slope - b.slope)[0];
  const falling = slopes.filter(({ side }) => side > 0).sort((a, b) => b.slope - a.slope)[0];
  if (rising === undefined || falling === undefined || falling.slope - rising.slope <= scale) return [];
  return [rising.i, falling.i];
}
