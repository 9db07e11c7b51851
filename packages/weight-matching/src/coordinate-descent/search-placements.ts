import { createRandom } from "@isthmus/core";
import { alignmentObjective } from "./alignment-objective.ts";
import type { WeightPair } from "./block-matcher.ts";
import { type Descent, type DescentOptions, type DescentProblem, descend } from "./descend.ts";
import { DescentState } from "./descent-state.ts";
import { identityPlacement, type Placement } from "./placement.ts";
import { startFresh, startFromKick } from "./starts.ts";

/** How placements are searched. */
export interface SearchOptions {
  readonly seed: number;
  readonly restarts: number;
  readonly maxSweeps: number;
  /** Where the first search starts; from nothing if undefined. */
  readonly start: Placement | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress:
    | ((progress: { readonly restart: number; readonly restarts: number; readonly sweep: number }) => void)
    | undefined;
}

/**
 * Searches from nothing, then again and again from the best so far with some units shuffled; stops early
 * where no other search could find more. In the order they were made. Never ends below the identity.
 */
export async function searchPlacements(problem: DescentProblem, options: SearchOptions): Promise<Descent[]> {
  const { seed, restarts, maxSweeps, signal, onProgress } = options;
  const limit = objectiveLimit(problem.weights);
  const searches: Descent[] = [];
  for (let restart = 0; restart < restarts; restart++) {
    const random = createRandom(seed, `match weights ${restart}`);
    const onSweep = (sweep: number) => onProgress?.({ restart, restarts, sweep });
    const descent = { random, maxSweeps, signal, onSweep };
    if (restart === 0 && options.start !== undefined) {
      const state = new DescentState(problem, options.start, problem.matchers.keys());
      searches.push(await descend(problem, state, descent));
    } else if (restart === 0) {
      searches.push(await searchFirst(problem, descent));
    } else {
      const state = startFromKick(problem, bestOf(searches).placement, random);
      if (state === undefined) break;
      searches.push(await descend(problem, state, descent));
    }
    if (bestOf(searches).objective >= limit) break;
  }
  return searches;
}

/**
 * Searches from nothing, and only if that ends below the identity from there: networks that were trained from common
 * weights are already aligned, which a start from nothing may miss.
 */
async function searchFirst(problem: DescentProblem, options: DescentOptions): Promise<Descent> {
  const { spec, weights, expander, matchers } = problem;
  const found = await descend(problem, await startFresh(problem, options.random, options.signal), options);
  const stay = identityPlacement(spec);
  if (alignmentObjective(spec, weights, expander.expand(stay)) <= found.objective) return found;
  return descend(problem, new DescentState(problem, stay, matchers.keys()), options);
}

/** The search that found most; of equals, the first. */
export function bestOf(searches: readonly Descent[]): Descent {
  return searches.reduce((kept, found) => (found.objective > kept.objective ? found : kept));
}

/** Rounding of the objective; nothing can be gained beyond this close to its bound. */
const LIMIT_TOLERANCE = 1e-9;

/** The objective cannot exceed the product of norms (Cauchy-Schwarz), which a permuted copy of A reaches. */
function objectiveLimit({ a, b }: WeightPair): number {
  const square = (weights: ReadonlyMap<string, Float32Array>) => {
    let sum = 0;
    for (const values of weights.values()) for (const value of values) sum += value * value;
    return sum;
  };
  return Math.sqrt(square(a) * square(b)) * (1 - LIMIT_TOLERANCE);
}
