/**
 * A secular equation `1 / rho + sum over j of z_j^2 / (p_j - x) = 0`, whose poles `p` are known by their
 * differences, as these keep more digits than the poles.
 */
export interface SecularEquation {
  /** Numerators `z_j^2`, `[n]`, positive. */
  readonly squares: Float64Array;
  /** Factor of the coupling, positive. */
  readonly rho: number;
  /** Writes the differences of all poles, which rise, from one of them. */
  readonly differencesInto: DifferencesInto;
}

/** Writes `p_j - p_origin` for all poles. */
export type DifferencesInto = (origin: number, out: Float64Array) => void;

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
 * @param away - `[n]`, room for differences of poles
 */
export function secularRoot(equation: SecularEquation, i: number, away: Float64Array): SecularRoot {
  const { squares, rho, differencesInto } = equation;
  const n = squares.length;
  const isLast = i === n - 1;
  differencesInto(i, away);
  let total = 0;
  if (isLast) for (let j = 0; j < n; j++) total += squares[j]!;
  const gap = isLast ? rho * total : away[i + 1]!;
  // The sign in the middle tells which pole is nearer.
  const isUpper = !isLast && valueAt(squares, rho, away, gap / 2) < 0;
  const pole = isUpper ? i + 1 : i;
  if (isUpper) differencesInto(pole, away);
  let [low, high] = isUpper ? [-gap / 2, 0] : [0, isLast ? gap : gap / 2];
  let x = (low + high) / 2;
  for (let step = 0; step < STEPS; step++) {
    let [left, leftSlope, right, rightSlope] = [0, 0, 0, 0];
    for (let j = 0; j <= i; j++) {
      const inverse = 1 / (away[j]! - x);
      const term = squares[j]! * inverse;
      left += term;
      leftSlope += term * inverse;
    }
    for (let j = i + 1; j < n; j++) {
      const inverse = 1 / (away[j]! - x);
      const term = squares[j]! * inverse;
      right += term;
      rightSlope += term * inverse;
    }
    const value = 1 / rho + left + right;
    // A value this small may be rounding alone.
    if (Math.abs(value) <= Number.EPSILON * (1 / rho + 4 * (right - left))) break;
    if (value < 0) low = x;
    else high = x;
    const toLower = away[i]! - x;
    const toUpper = isLast ? 0 : away[i + 1]! - x;
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

function valueAt(squares: Float64Array, rho: number, away: Float64Array, x: number): number {
  let sum = 1 / rho;
  for (let j = 0; j < squares.length; j++) sum += squares[j]! / (away[j]! - x);
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
export function exactNumerators(
  differencesInto: DifferencesInto,
  roots: readonly SecularRoot[],
): Float64Array {
  const n = roots.length;
  const products = new Float64Array(n).fill(1);
  const ofRoot = new Float64Array(n);
  const ofPole = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const { pole, distance } = roots[i]!;
    differencesInto(pole, ofRoot);
    differencesInto(i, ofPole);
    for (let j = 0; j < n; j++) {
      const toRoot = ofRoot[j]! - distance;
      products[j] = products[j]! * (i === j ? -toRoot : toRoot / ofPole[j]!);
    }
  }
  for (let j = 0; j < n; j++) products[j] = Math.sqrt(Math.abs(products[j]!));
  return products;
}

/** Numerators `z` of a secular equation, and the places of their elements in vectors. */
export interface SecularVectors {
  /** Numerators, `[n]`. */
  readonly z: Float64Array;
  /** Place in the vectors of each element. */
  readonly order: Int32Array;
  /** Writes the differences of all poles from one of them. */
  readonly differencesInto: DifferencesInto;
}

/**
 * Writes `z_j / (p_j - root)`: made a unit vector, it is the eigenvector of `diag(p) + rho z z^T` that
 * belongs to the root.
 */
export function secularQuotients(
  { z, order, differencesInto }: SecularVectors,
  { pole, distance }: SecularRoot,
  out: Float64Array,
): void {
  const away = new Float64Array(z.length);
  differencesInto(pole, away);
  for (let j = 0; j < z.length; j++) out[order[j]!] = z[j]! / (away[j]! - distance);
}

/** Divides a vector by its length. */
export function normalizeInPlace(vector: Float64Array): void {
  let square = 0;
  for (let j = 0; j < vector.length; j++) square += vector[j]! * vector[j]!;
  const scale = 1 / Math.sqrt(square);
  for (let j = 0; j < vector.length; j++) vector[j] = scale * vector[j]!;
}
