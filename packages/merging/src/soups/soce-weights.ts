import { at, meanOf, OutOfRangeError, resolveOptions, sumOf } from "@isthmus/core";

/** Options of {@link soceWeights}. */
export interface SoceOptions {
  /**
   * Largest correlation with every other category for which a category counts as weakly correlated.
   * @defaultValue 0.6
   */
  readonly threshold?: number;
  /** Step between the weights that are tried, 1 divided by a whole number. @defaultValue 0.1 */
  readonly step?: number;
}

/** Defaults of {@link soceWeights}. */
const SOCE_DEFAULTS: Required<SoceOptions> = { threshold: 0.6, step: 0.1 };

/** Result of {@link soceWeights}. */
export interface SoceResult {
  /** Weight of each network; their sum is 1. Networks that are not experts have 0. */
  readonly weights: readonly number[];
  /** Score of these weights. */
  readonly score: number;
  /** Positions of categories that correlate weakly with all others. */
  readonly categories: readonly number[];
  /** Positions of the networks that are best in one of `categories`, each network once. */
  readonly experts: readonly number[];
}

/**
 * Finds weights for a soup of category experts: for each category of a benchmark that correlates weakly with
 * the others, over all networks, the best network is an expert, and weights of the experts are searched on a
 * grid (SoCE, Maiti et al., Souper-model, 2025, algorithm 1).
 *
 * Without such categories, the network with the best mean score is the only expert. The paper does not state
 * the threshold; its default is a choice of this package. Grids grow fast: 4 experts with steps of 0.1 need
 * 286 evaluations.
 *
 * @param scores - scores of each network in each category, `[networks][categories]`; larger is better
 * @param evaluate - returns the score of a soup with given weights, one for each network; larger is better
 * @throws OutOfRangeError if scores are not a table of finite numbers, or an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { soceWeights } from "@isthmus/merging";
 *
 * // The second network is best at the first category, the first one at the other; the third is no expert.
 * const scores = [[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]];
 * const { experts, weights } = await soceWeights(scores, ([a = 0, b = 0]) => -Math.abs(a - 0.3) - b / 1e3);
 * assert.deepEqual(experts, [1, 0]);
 * assert.deepEqual(weights, [0.3, 0.7, 0]);
 * ```
 */
export async function soceWeights(
  scores: readonly (readonly number[])[],
  evaluate: (weights: readonly number[]) => Promise<number> | number,
  options: SoceOptions = {},
): Promise<SoceResult> {
  const { threshold, step } = resolveOptions("weigh experts", SOCE_DEFAULTS, options);
  const parts = Math.round(1 / step);
  assertRequest(scores, threshold, Math.abs(parts * step - 1) < 1e-9 ? parts : 0);
  const categories = weaklyCorrelated(scores, threshold);
  const experts = [...new Set(categories.map((category) => bestOf(scores.map((row) => at(row, category)))))];
  if (experts.length === 0) experts.push(bestOf(scores.map((row) => sumOf(row))));
  let best: { weights: readonly number[]; score: number } | undefined;
  for (const shares of compositions(parts, experts.length)) {
    const weights = scores.map((_, i) => {
      const place = experts.indexOf(i);
      return place < 0 ? 0 : at(shares, place) / parts;
    });
    const score = await evaluate(weights);
    if (best === undefined || score > best.score) best = { weights, score };
  }
  if (best === undefined)
    throw new OutOfRangeError("Cannot weigh experts as there must be at least one: got none");
  return { ...best, categories, experts };
}

function assertRequest(scores: readonly (readonly number[])[], threshold: number, parts: number): void {
  const [first = []] = scores;
  const fail = (rule: string) => new OutOfRangeError(`Cannot weigh experts as ${rule}`);
  if (first.length === 0) throw fail("there must be a network and a category: got none");
  for (const [i, row] of scores.entries()) {
    if (row.length === first.length && row.every(Number.isFinite)) continue;
    throw fail(
      `every network needs a finite score in each of ${first.length} categories: network ${i} has ${row.join(", ")}`,
    );
  }
  if (!(threshold >= -1 && threshold <= 1)) throw fail(`"threshold" must be in [-1, 1]: it is ${threshold}`);
  if (parts < 1) throw fail('"step" must be 1 divided by a whole number, as 0.1');
}

/** Finds the categories whose correlation with every other category is at most the threshold. */
function weaklyCorrelated(scores: readonly (readonly number[])[], threshold: number): number[] {
  const columns = at(scores, 0).map((_, category) => scores.map((row) => at(row, category)));
  return columns.flatMap((column, i) =>
    columns.every((other, j) => i === j || correlationOf(column, other) <= threshold) ? [i] : [],
  );
}

/** Computes Pearson's correlation; 0 if one of the lists is constant. */
function correlationOf(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  const product = (a: readonly number[], b: readonly number[], shiftA: number, shiftB: number) =>
    a.reduce((sum, value, i) => sum + (value - shiftA) * (at(b, i) - shiftB), 0);
  const spread = Math.sqrt(product(x, x, meanX, meanX) * product(y, y, meanY, meanY));
  return spread === 0 ? 0 : product(x, y, meanX, meanY) / spread;
}

/** Returns the position of the largest score; the first of equal scores. */
function bestOf(list: readonly number[]): number {
  return list.indexOf(Math.max(...list));
}

/** Lists all distributions of a number of equal parts among `count` shares. */
function* compositions(parts: number, count: number): Generator<readonly number[]> {
  if (count === 1) {
    yield [parts];
    return;
  }
  for (let first = 0; first <= parts; first++) {
    for (const rest of compositions(parts - first, count - 1)) yield [first, ...rest];
  }
}
