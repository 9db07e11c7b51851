/** The poles of a secular equation `1 / rho + sum over j of z_j^2 / (d_j - x) = 0`. */
export interface SecularEquation {
  /** Poles `[n]`, rising, all different. */
  readonly poles: Float64Array;
  /** Numerators `z_j^2`, `[n]`, positive. */
  readonly squares: Float64Array;
  /** Factor of the coupling, positive. */
  readonly rho: number;
}

/** A root as its nearest pole and the distance from it, which keeps the digits of small distances. */
export interface SecularRoot {
  /** Index of the pole that is nearest to the root. */
  readonly pole: number;
  /** Distance of the root from this pole; negative if the root lies before it. */
  readonly distance: number;
}

/** Number of steps after which bisection alone has converged. */
const STEPS = 200;

/**
 * Finds the root of a secular equation right of pole `i`, in the interval up to the next pole.
 *
 * Source: Li, Solving secular equations stably and efficiently, 1994 (the middle way). We differ in the
 * guess, the middle of the interval, and bisect if a step leaves the bracket.
 */
export function secularRoot({ poles, squares, rho }: SecularEquation, i: number): SecularRoot {
  const n = poles.length;
  const isLast = i === n - 1;
  const from = poles[i]!;
  let total = 0;
  if (isLast) for (let j = 0; j < n; j++) total += squares[j]!;
  const gap = isLast ? rho * total : poles[i + 1]! - from;
  // The sign in the middle tells which pole is nearer.
  const isUpper = !isLast && valueAt({ poles, squares, rho }, i, gap / 2) < 0;
  const pole = isUpper ? i + 1 : i;
  const origin = poles[pole]!;
  let [low, high] = isUpper ? [-gap / 2, 0] : [0, isLast ? gap : gap / 2];
  let x = (low + high) / 2;
  for (let step = 0; step < STEPS; step++) {
    let [left, leftSlope, right, rightSlope] = [0, 0, 0, 0];
    for (let j = 0; j <= i; j++) {
      const away = 1 / (poles[j]! - origin - x);
      const term = squares[j]! * away;
      left += term;
      leftSlope += term * away;
    }
    for (let j = i + 1; j < n; j++) {
      const away = 1 / (poles[j]! - origin - x);
      const term = squares[j]! * away;
      right += term;
      rightSlope += term * away;
    }
    const value = 1 / rho + left + right;
    // A value this small may be rounding alone.
    if (Math.abs(value) <= Number.EPSILON * (1 / rho + 4 * (right - left))) break;
    if (value < 0) low = x;
    else high = x;
    const toLower = from - origin - x;
    const toUpper = isLast ? 0 : poles[i + 1]! - origin - x;
    const next = isLast
      ? stepToOnePole(value, leftSlope, toLower)
      : stepBetween(value, { leftSlope, rightSlope, toLower, toUpper });
    const guess = x + next;
    const middle = (low + high) / 2;
    const better = guess > low && guess < high ? guess : middle;
    if (better === x || middle === low || middle === high) break;
    x = better;
  }
  return { pole, distance: x };
}

function valueAt({ poles, squares, rho }: SecularEquation, from: number, x: number): number {
  let sum = 1 / rho;
  for (let j = 0; j < poles.length; j++) sum += squares[j]! / (poles[j]! - poles[from]! - x);
  return sum;
}

/**
 * Computes the step to the zero of a constant and two poles that have the value and slopes of the equation.
 */
function stepBetween(
  value: number,
  {
    leftSlope,
    rightSlope,
    toLower,
    toUpper,
  }: {
    readonly leftSlope: number;
    readonly rightSlope: number;
    readonly toLower: number;
    readonly toUpper: number;
  },
): number {
  const a = (toLower + toUpper) * value - toLower * toUpper * (leftSlope + rightSlope);
  const b = toLower * toUpper * value;
  const c = value - toLower * leftSlope - toUpper * rightSlope;
  const root = Math.sqrt(Math.abs(a * a - 4 * b * c));
  return a <= 0 ? (a - root) / (2 * c) : (2 * b) / (a + root);
}

/** Computes the step to the zero of a constant and one pole that have the value and slope of the equation. */
function stepToOnePole(value: number, slope: number, toPole: number): number {
  // value + s (1 / (toPole - step) - 1 / toPole) = 0 with s = slope * toPole^2
  const strength = slope * toPole * toPole;
  const inverse = 1 / toPole - value / strength;
  return toPole - 1 / inverse;
}

/**
 * Computes the vector `z` of a secular equation whose exact roots are the given rounded roots, so that
 * eigenvectors made from this vector and the roots are orthogonal.
 *
 * Source: Gu and Eisenstat, A stable and efficient algorithm for the rank-one modification of the symmetric
 * eigenproblem, 1994, equation 3.3.
 * @param roots - roots of all intervals, in their order
 * @returns `[n]`, the lengths `|z_j|`, up to a common factor
 */
export function exactNumerators(poles: Float64Array, roots: readonly SecularRoot[]): Float64Array {
  const n = poles.length;
  const products = new Float64Array(n).fill(1);
  for (let i = 0; i < n; i++) {
    const { pole, distance } = roots[i]!;
    const origin = poles[pole]!;
    const at = poles[i]!;
    for (let j = 0; j < n; j++) {
      const toRoot = poles[j]! - origin - distance;
      products[j] = products[j]! * (i === j ? -toRoot : toRoot / (poles[j]! - at));
    }
  }
  for (let j = 0; j < n; j++) products[j] = Math.sqrt(Math.abs(products[j]!));
  return products;
}

/**
 * Writes the eigenvector of `diag(poles) + rho z z^T` that belongs to a root.
 * @param z - `[n]`
 * @param order - place in `out` of each element
 */
export function secularVector(
  { poles, z, order }: { readonly poles: Float64Array; readonly z: Float64Array; readonly order: Int32Array },
  { pole, distance }: SecularRoot,
  out: Float64Array,
): void {
  const origin = poles[pole]!;
  let square = 0;
  for (let j = 0; j < poles.length; j++) {
    const element = z[j]! / (poles[j]! - origin - distance);
    out[order[j]!] = element;
    square += element * element;
  }
  const scale = 1 / Math.sqrt(square);
  for (let j = 0; j < poles.length; j++) out[j] = scale * out[j]!;
}
