import { at } from "@isthmus/core";

/** An odd polynomial `linear s + cubic s^3 + quintic s^5`. */
export interface OddPolynomial {
  /** Coefficient of `s`. */
  readonly linear: number;
  /** Coefficient of `s^3`. */
  readonly cubic: number;
  /** Coefficient of `s^5`. */
  readonly quintic: number;
}

/**
 * Distance of the smallest value from the largest, as a share, below which one polynomial is enough for all.
 */
const CLOSE = 1e-3;
/**
 * Least value, as a share of the largest, for which polynomials are made: one for smaller values would map
 * the largest near zero, and rounding could turn its sign.
 */
const CUSHION = 0.024;
/** Share of its width by which an interval is widened, as polynomials grow rounding errors beyond its end. */
const MARGIN = 0.01;
/** Number of exchanges after which the places of the largest errors no longer move. */
const EXCHANGES = 40;
/** Number of steps that no matrix exceeds. */
const STEPS = 60;

/**
 * Returns the polynomials that, applied one after another, map `[smallest, 1]` to 1 with the fewest steps.
 *
 * Each is the polynomial of degree five nearest to 1 on the image of the interval under the earlier steps,
 * but for very small values.
 *
 * Source: Amsel et al., The Polar Express: optimal matrix sign methods and their application to the Muon
 * algorithm, 2025, theorem 3.1.
 * @param smallest - in `(0, 1)`
 * @param error - largest distance from 1 that may remain
 */
export function polarPolynomials(smallest: number, error: number): OddPolynomial[] {
  const polynomials: OddPolynomial[] = [];
  let [low, high] = [smallest, 1];
  for (let step = 0; step < STEPS && Math.max(1 - low, high - 1) > error; step++) {
    const top = high + MARGIN * (high - low);
    const cushioned = Math.max(low / top, CUSHION);
    const polynomial = nearestToOne(cushioned);
    polynomials.push(scaleArgument(polynomial, 1 / top));
    low = valueAt(polynomial, low / top);
    high = 2 - valueAt(polynomial, cushioned);
  }
  return polynomials;
}

/** Finds the polynomial nearest to 1 on `[low, 1]`, whose errors at four places are equal up to signs. */
function nearestToOne(low: number): OddPolynomial {
  // If the interval shrinks to a point, value, slope and curvature there are 1, 0 and 0.
  if (1 - low < CLOSE) return { linear: 15 / 8, cubic: -10 / 8, quintic: 3 / 8 };
  let [first, second] = [(3 * low + 1) / 4, (low + 3) / 4];
  let polynomial: OddPolynomial = { linear: 0, cubic: 0, quintic: 0 };
  for (let i = 0; i < EXCHANGES; i++) {
    polynomial = throughErrors([low, first, second, 1]);
    const { linear, cubic, quintic } = polynomial;
    // Zeros of the slope `linear + 3 cubic s^2 + 5 quintic s^4`.
    const root = Math.sqrt(Math.max(0, 9 * cubic * cubic - 20 * linear * quintic));
    const next = [(-3 * cubic - root) / (10 * quintic), (-3 * cubic + root) / (10 * quintic)].map(Math.sqrt);
    const [nextFirst, nextSecond] = [at(next, 0, "zero"), at(next, 1, "zero")];
    const isSettled = Math.abs(nextFirst - first) + Math.abs(nextSecond - second) < 1e-15;
    [first, second] = [nextFirst, nextSecond];
    if (isSettled) break;
  }
  return polynomial;
}

/** Solves `p(x_i) + (-1)^i error = 1` at four places. */
function throughErrors(places: readonly number[]): OddPolynomial {
  const rows = places.map((x, i) => [x, x ** 3, x ** 5, i % 2 === 0 ? 1 : -1, 1]);
  for (let k = 0; k < 4; k++) {
    const byPivot = rows
      .slice(k)
      .sort((a, b) => Math.abs(at(b, k, "coefficient")) - Math.abs(at(a, k, "coefficient")));
    rows.splice(k, rows.length, ...byPivot);
    const pivot = at(rows, k, "row");
    for (const [i, row] of rows.entries()) {
      if (i === k) continue;
      const factor = at(row, k, "coefficient") / at(pivot, k, "coefficient");
      rows[i] = row.map((x, j) => x - factor * at(pivot, j, "coefficient"));
    }
  }
  const solution = rows.map((row, i) => at(row, 4, "coefficient") / at(row, i, "coefficient"));
  return {
    linear: at(solution, 0, "coefficient"),
    cubic: at(solution, 1, "coefficient"),
    quintic: at(solution, 2, "coefficient"),
  };
}

function valueAt({ linear, cubic, quintic }: OddPolynomial, s: number): number {
  return linear * s + cubic * s ** 3 + quintic * s ** 5;
}

/** Returns the polynomial of `factor * s`. */
function scaleArgument({ linear, cubic, quintic }: OddPolynomial, factor: number): OddPolynomial {
  return { linear: linear * factor, cubic: cubic * factor ** 3, quintic: quintic * factor ** 5 };
}

/** Rational function `s (a + b s^2) / (1 + c s^2)`. */
export interface HalleyCoefficients {
  /** Slope at zero. */
  readonly a: number;
  /** Factor of the cubic term. */
  readonly b: number;
  /** Factor of the square in the denominator. */
  readonly c: number;
  /** Smallest value of the function on the range that it was made for. */
  readonly lifted: number;
}

/**
 * Computes the function of its kind that maps `[low, 1]` to the narrowest range below 1.
 *
 * Source: Nakatsukasa, Bai and Gygi, Optimizing Halley's iteration for computing the matrix polar
 * decomposition, 2010, equations 3.6 and 3.11.
 * @param low - in `(0, 1)`
 */
export function halleyCoefficients(low: number): HalleyCoefficients {
  const square = low * low;
  const d = Math.cbrt((4 * (1 - square)) / square ** 2);
  const root = Math.sqrt(1 + d);
  const a = root + 0.5 * Math.sqrt(8 - 4 * d + (8 * (2 - square)) / (square * root));
  const b = (a - 1) ** 2 / 4;
  const c = a + b - 1;
  return { a, b, c, lifted: (low * (a + b * square)) / (1 + c * square) };
}
