import { at, createRandom, type Random } from "@isthmus/core";
import {
  type Descent,
  type DescentOptions,
  type DescentProblem,
  descend,
} from "../coordinate-descent/descend.ts";
import { DescentState } from "../coordinate-descent/descent-state.ts";
import type { Placement } from "../coordinate-descent/placement.ts";
import { frankWolfe } from "../frank-wolfe/frank-wolfe.ts";

/** Ways to search: see `matchWeights`. */
export const MATCH_SEARCHES = ["best", "coordinate-descent", "frank-wolfe"] as const;

/** A way to search for placements. */
export type MatchSearch = (typeof MATCH_SEARCHES)[number];

/** Options of {@link searchPlacements}. */
export interface SearchOptions {
  /** Way to search: by coordinate descent, by relaxation, or both. */
  readonly search: MatchSearch;
  /** Seed of all random choices, one generator for each search. */
  readonly seed: number;
  /** Number of searches at most. */
  readonly restarts: number;
  /** Sweeps over all blocks after which a search is given up. */
  readonly maxSweeps: number;
  /** Steps of the relaxation. */
  readonly maxIterations: number;
  /** Whether the first search starts at the problem's own start instead of without a placement. */
  readonly startsThere: boolean;
  /** Signal that stops the searches; undefined if they are never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called with the progress of the search under way; undefined if nothing is called. */
  readonly onProgress:
    | ((progress: {
        /** Number of the search under way, from 0. */
        readonly restart: number;
        /** Number of searches at most. */
        readonly restarts: number;
        /** Sweeps done in this search. */
        readonly sweep: number;
        /** Share of the next sweep that is done, in `[0, 1]`. */
        readonly share: number;
      }) => void)
    | undefined;
}

/** One search, with the way in which it was made. */
export interface Search extends Descent {
  /** Way in which this search was made. */
  readonly search: Exclude<MatchSearch, "best">;
  /** Steps of the relaxation before it was polished; 0 without one. */
  readonly iterations: number;
}

/**
 * Searches without a start, then by relaxation, then again and again from the best placement so far with some
 * units shuffled; stops early if no further search could find more. Returns all searches in the order they
 * were made; the best is never worse than the start.
 */
export async function searchPlacements(problem: DescentProblem, options: SearchOptions): Promise<Search[]> {
  const { seed, restarts, maxSweeps, signal, onProgress } = options;
  const searches: Search[] = [];
  for (let restart = 0; restart < restarts; restart++) {
    const random = createRandom(seed, `match weights ${restart}`);
    const descent: DescentOptions = {
      random,
      maxSweeps,
      signal,
      onProgress: (sweep, share) => onProgress?.({ restart, restarts, sweep, share }),
    };
    const search = await searchOnce(problem, { searches, descent, options });
    if (search === undefined) break;
    searches.push(search);
    if (bestOf(searches).objective >= problem.limit) break;
  }
  return searches;
}

interface SearchState {
  /** Searches so far. */
  readonly searches: readonly Search[];
  readonly descent: DescentOptions;
  readonly options: SearchOptions;
}

async function searchOnce(
  problem: DescentProblem,
  { searches, descent, options }: SearchState,
): Promise<Search | undefined> {
  const { search, startsThere } = options;
  const first = searches.length === 0;
  if (first && startsThere) return byDescent(await descend(problem, openAt(problem), descent));
  if (first && search !== "frank-wolfe") return byDescent(await searchFirst(problem, descent));
  const relaxes = search === "frank-wolfe" || (search === "best" && searches.length === 1);
  const kicked = first ? undefined : startFromKick(problem, bestOf(searches).placement, descent.random);
  if (!first && kicked === undefined) return undefined;
  if (relaxes) return byRelaxation(problem, descent, options.maxIterations);
  return kicked === undefined ? undefined : byDescent(await descend(problem, kicked, descent));
}

function byDescent(descent: Descent): Search {
  return { ...descent, search: "coordinate-descent", iterations: 0 };
}

/** Relaxes, rounds, and climbs on by coordinate descent. */
async function byRelaxation(
  problem: DescentProblem,
  descent: DescentOptions,
  maxIterations: number,
): Promise<Search> {
  const { random, signal } = descent;
  const { placement, iterations } = await frankWolfe(problem, {
    random,
    maxIterations,
    signal,
    onIteration: (iteration) => descent.onProgress(0, iteration / maxIterations),
  });
  const state = new DescentState(problem, placement, problem.matchers.keys());
  const polished = await notBelowStart(problem, await descend(problem, state, descent), descent);
  return { ...polished, search: "frank-wolfe", iterations };
}

async function searchFirst(problem: DescentProblem, options: DescentOptions): Promise<Descent> {
  const state = await startFresh(problem, options);
  const objective = await problem.objectiveOf(problem.expander.expand(state.placement));
  // If B is a permuted copy of A, the first placement is often exact; sweeps over a large model would only
  // confirm it.
  if (objective >= problem.limit) {
    return { placement: state.placement, objective, sweeps: 0, status: "converged" };
  }
  return notBelowStart(problem, await descend(problem, state, options), options);
}

/**
 * Returns a result, or, if its objective is below the start's, the result of a descent from the start:
 * networks that were trained from common weights are already aligned, which a start from nothing may miss.
 */
async function notBelowStart(
  problem: DescentProblem,
  result: Descent,
  options: DescentOptions,
): Promise<Descent> {
  const { expander, objectiveOf, start } = problem;
  if ((await objectiveOf(expander.expand(start))) <= result.objective) return result;
  return descend(problem, openAt(problem), options);
}

function openAt(problem: DescentProblem): DescentState {
  return new DescentState(problem, problem.start, problem.matchers.keys());
}

/** Returns the search with the greatest objective; of equals, the first. */
export function bestOf<T extends Descent>(searches: readonly T[]): T {
  return searches.reduce((best, search) => (search.objective > best.objective ? search : best));
}

/**
 * Creates a start from nothing: places every block once, in random order, by the weights whose other side is
 * placed already; blocks without such a weight wait until there is one.
 */
async function startFresh(
  problem: DescentProblem,
  { random, signal, onProgress }: Pick<DescentOptions, "random" | "signal" | "onProgress">,
): Promise<DescentState> {
  const blocks = Int32Array.from(problem.matchers.keys());
  const state = new DescentState(problem, problem.start, blocks);
  const isHeld = (block: number) => at(problem.matchers, block, "block").held;
  const placed = new Set([...blocks].filter(isHeld));
  const waiting = [...random.shuffleInPlace(blocks)].filter((block) => !isHeld(block));
  while (waiting.length > 0) {
    signal?.throwIfAborted();
    onProgress(0, placed.size / blocks.length);
    const informed = waiting.findIndex((block) => at(problem.matchers, block, "block").isInformed(placed));
    const next = Math.max(0, informed);
    const block = at(waiting, next, "block");
    waiting.splice(next, 1);
    const matcher = at(problem.matchers, block, "block");
    const proposal = await matcher.propose(state.sourcesOf(block), state.placement, placed);
    state.accept(block, proposal.choices);
    placed.add(block);
  }
  return state;
}

/**
 * Share of a block's units that a kick shuffles. On three hidden layers of 512 units a fifth gained most
 * over twelve kicks: 226.6 to 227.3 from 223.4 to 225.2, against 225.9 to 226.5 with a tenth, 225.9 to 227.0
 * with two fifths, and 225.0 to 225.5 for as many fresh starts.
 */
const KICK = 0.2;

/**
 * Creates a start near the best placement so far: shuffles some units of one block, and postpones that block
 * until the others have been solved again. A fresh start climbs a new hill of about the same height, while
 * this start climbs on.
 *
 * @see Lourenco, Martin, Stutzle 2003, Iterated Local Search
 * @returns undefined if no block depends on another or on itself: then the search was exact already
 */
function startFromKick(problem: DescentProblem, best: Placement, random: Random): DescentState | undefined {
  const state = new DescentState(problem, best, []);
  const candidates = [...problem.matchers.entries()].flatMap(([block, { coupled, rootHeld }]) =>
    !rootHeld && (coupled || state.dependents(block).length > 0) ? [block] : [],
  );
  if (candidates.length === 0) return undefined;
  const block = at(candidates, random.integer(candidates.length), "block");
  const { root } = at(problem.matchers, block, "block").block;
  const choices = at(best, root.index, "symmetry").slice();
  const { cells, size } = root.symmetry;
  for (let cell = 0; cell < cells.length; cell++)
    shuffleSome(choices.subarray(cell * size, (cell + 1) * size), random);
  state.accept(block, new Map([[root.index, choices]]));
  state.postpone(block);
  return state;
}

function shuffleSome(choices: Int32Array, random: Random): void {
  const places = random.shuffleInPlace(Int32Array.from(choices.keys()));
  const kicked = places.subarray(0, Math.max(2, Math.round(choices.length * KICK)));
  const values = random.shuffleInPlace(kicked.map((place) => at(choices, place, "place")));
  kicked.forEach((place, i) => {
    choices[place] = at(values, i, "value");
  });
}
