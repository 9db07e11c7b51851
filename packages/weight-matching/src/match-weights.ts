import {
  assertSameStructure,
  assertWholeOptions,
  at,
  type Checkpoint,
  OutOfRangeError,
  resolveOptions,
  UsageError,
} from "@isthmus/core";
import { assertNetwork, type Engine, type Graph } from "@isthmus/graph";
import { type Alignment, type SymmetrySpec, stackParts } from "@isthmus/symmetry";
import { objectiveBound } from "./bound/objective-bound.ts";
import { type CrossProducts, createCrossProducts } from "./coordinate-descent/cross-products.ts";
import { bytesForFrankWolfe } from "./frank-wolfe/frank-wolfe.ts";
import { type MatchSeconds, Stopwatch } from "./search/matching-seconds.ts";
import {
  heldSymmetries,
  type PreparedMatching,
  prepareMatching,
  type SymmetrySelection,
  timedProducts,
} from "./search/prepare-matching.ts";
import {
  bestOf,
  MATCH_SEARCHES,
  type MatchSearch,
  type Search,
  searchPlacements,
} from "./search/search-placements.ts";

/** Reasons for which a search ended. */
export type MatchStatus = "converged" | "maxSweeps";

/** Progress of {@link matchWeights}. */
export interface MatchProgress {
  /**
   * Share of the work that is done, in `[0, 1]`: an estimate, as it is not known how many sweeps a search
   * takes.
   */
  readonly done: number;
  /** Restart under way, from 0. */
  readonly restart: number;
  /** Number of restarts at most. */
  readonly restarts: number;
  /** Sweeps done in this restart. */
  readonly sweep: number;
  /** Share of the next sweep (or of the relaxation before the first) that is done, in `[0, 1]`. */
  readonly share: number;
}

/** Options of {@link matchWeights}. */
export interface MatchWeightsOptions extends SymmetrySelection {
  /** Seed of all random choices. */
  readonly seed: number;
  /**
   * Number of searches, at least 1: the first starts without a placement, each further one from the best
   * placement so far with some units shuffled.
   * @defaultValue 8
   */
  readonly restarts?: number;
  /**
   * Way to search: by coordinate descent, by relaxing all symmetries at once (Frank-Wolfe), or both: then the
   * second search is the relaxation, and later ones go on from the better. @defaultValue "best"
   */
  readonly search?: MatchSearch;
  /**
   * Bytes that matching may hold. The weights are then read whenever they are needed, one symmetry at a time;
   * without a limit, all weights are kept in memory as f32, several times over. @defaultValue none
   */
  readonly memory?: number | undefined;
  /** Sweeps over all symmetries after which a search is given up, at least 1. @defaultValue 100 */
  readonly maxSweeps?: number;
  /**
   * Alignment at which the first search starts, and whose placement symmetries keep that are not matched.
   * @defaultValue none: the first search starts without a placement
   */
  readonly start?: Alignment | undefined;
  /** Signal that stops the matching. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called for every block of units that is matched, and every step of the relaxation.
   * @defaultValue nothing is called
   */
  readonly onProgress?: ((progress: MatchProgress) => void) | undefined;
}

/** Architecture of networks, as far as {@link matchWeights} needs it. */
export interface MatchedArchitecture {
  /** Its symmetries. */
  readonly spec: SymmetrySpec;
  /**
   * Graph of the networks, by which weights before batch norms are matched as the norms scale them. Networks
   * without a graph must say `undefined`; their weights are then matched unscaled.
   */
  readonly graph: Graph | undefined;
  /** Engine for the products of weights; without one they are computed by a plain loop. @defaultValue none */
  readonly engine?: Engine | undefined;
}

/** Defaults of {@link matchWeights}; the seed has none. */
export const MATCH_WEIGHTS_DEFAULTS: Required<Omit<MatchWeightsOptions, "seed">> = {
  restarts: 8,
  search: "best",
  memory: undefined,
  only: undefined,
  skip: undefined,
  maxSweeps: 100,
  start: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** One search of {@link matchWeights}. */
export interface MatchRestart {
  /** Way in which this search was made. */
  readonly search: "coordinate-descent" | "frank-wolfe";
  /** Steps of the relaxation before it was polished; 0 without one. */
  readonly iterations: number;
  /** Objective that the search reached, as `scaledObjective.after` of the whole result. */
  readonly objective: number;
  /** Sweeps over all symmetries that it made. */
  readonly sweeps: number;
  /** Reason for which this search ended: no block can improve alone, or the sweeps are used up. */
  readonly status: MatchStatus;
}

/** Result of {@link matchWeights}. */
export interface MatchWeightsResult {
  /** Alignment that permutes B as close to A as the searches could bring it. */
  readonly alignment: Alignment;
  /** Inner product of A and B over the parameters that can move, before and after. */
  readonly objective: { readonly before: number; readonly after: number };
  /** Inner product of the weights as they were matched: as batch norms scale them, if a graph was given. */
  readonly scaledObjective: { readonly before: number; readonly after: number };
  /**
   * Upper bound on the scaled objective of every alignment that permutes only the matched symmetries.
   * Its distance from `scaledObjective.after` limits what more searching could gain.
   */
  readonly bound: number;
  /** Sweeps of the best search. */
  readonly sweeps: number;
  /** Reason for which the best search ended. */
  readonly status: MatchStatus;
  /** Way in which the best search searched. */
  readonly search: MatchRestart["search"];
  /** All searches, in the order in which they were made. */
  readonly restarts: readonly MatchRestart[];
  /** Time that matching took, by kind of work. */
  readonly seconds: MatchSeconds;
  /** Seed of all random choices. */
  readonly seed: number;
}

/**
 * Finds the element of the symmetry group that brings network B closest to network A in weight space.
 *
 * Coordinate descent over the symmetries (Git Re-Basin, Ainsworth et al. 2023, algorithm 1), each solved
 * exactly while the others stay. Differs from the reference implementation in: 1. any specification, nested
 * symmetries included, which are solved together with those they are nested in; 2. the first sweep leaves out
 * weights whose other side has no placement yet, instead of taking the identity for one; 3. further searches
 * go on from the best so far (iterated local search) instead of starting anew, and the result is never worse
 * than the identity; 4. a step is taken only if it
 * gains more than rounding; 5. a symmetry is solved again only if one it depends on has moved; 6. running
 * statistics follow but do not vote; 7. weights before a batch norm count as the norm scales them.
 *
 * @throws MismatchError if the checkpoints differ in names or shapes, or lack weights of the specification,
 *   or `start` is not an alignment of it
 * @throws InputError if a weight, or with a graph a variance of a norm, is NaN or infinite; it is named
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchWeights(
  { spec: whole, graph: named, engine }: MatchedArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  options: MatchWeightsOptions,
): Promise<MatchWeightsResult> {
  const { seed, ...rest } = options;
  const resolved = resolveOptions("match weights", MATCH_WEIGHTS_DEFAULTS, rest, ["seed"]);
  assertOptions(seed, resolved);
  if (named !== undefined) for (const network of networks) assertNetwork(named, network);
  const { spec, networks: stacked } = stackParts(whole, networks);
  const [a, b] = [at(stacked, 0, "network"), at(stacked, 1, "network")];
  assertSameStructure(movable(a, spec), movable(b, spec));
  // No graph has stacked weights, so that norms do not scale them.
  const graph = whole.joined === undefined ? named : undefined;
  const held = heldSymmetries(spec, resolved);
  const search = affordableSearch(spec, resolved);
  const stopwatch = new Stopwatch();
  const products = timedProducts(await createCrossProducts(engine), stopwatch);
  try {
    const prepared = await prepareMatching({ a, b }, spec, { ...resolved, graph, held, products, stopwatch });
    const { problem, weights } = prepared;
    const searches = await searchPlacements(problem, {
      ...resolved,
      onProgress: estimateDone(resolved.onProgress),
      seed,
      search,
      maxIterations: MAX_ITERATIONS,
      startsThere: resolved.start !== undefined,
    });
    const best = bestOf(searches);
    const source = problem.expander.expand(best.placement);
    const after = { raw: best.objective, scaled: best.objective };
    if (weights.isScaled) after.raw = await weights.objective(source, false);
    const before = await beforeOf(prepared);
    return {
      alignment: { source },
      objective: { before: before.raw, after: after.raw },
      scaledObjective: { before: before.scaled, after: after.scaled },
      bound: await boundOf(prepared, { products, reached: after.scaled, signal: resolved.signal }),
      ...reportOf(best),
      restarts: searches.map(({ objective, ...search }) => ({ objective, ...reportOf(search) })),
      seconds: stopwatch.read(),
      seed,
    };
  } finally {
    await products.release();
  }
}

/**
 * Selects the tensors that a specification lists. Others, such as counters, may be in one of the networks
 * only.
 */
function movable(network: Checkpoint, { weights }: SymmetrySpec): Checkpoint {
  const tensors = [...network.tensors].filter(([name]) => weights.has(name));
  return { ...network, tensors: new Map(tensors) };
}

/**
 * Adds the share of the whole work that is done to the progress of searches. The number of sweeps of a search
 * is not known in advance, so each sweep counts as half of the search's remaining work. A relaxation before
 * the first sweep counts as part of that sweep, after which the share of the sweep starts at 0 again: the
 * result never decreases.
 */
function estimateDone(
  onProgress: MatchWeightsOptions["onProgress"],
): ((progress: Omit<MatchProgress, "done">) => void) | undefined {
  if (onProgress === undefined) return undefined;
  let done = 0;
  return (progress) => {
    const { restart, restarts, sweep, share } = progress;
    done = Math.max(done, (restart + 1 - 2 ** -(sweep + share)) / restarts);
    onProgress({ done, ...progress });
  };
}

/** Steps of a relaxation, after which it is rounded; not tuned. */
const MAX_ITERATIONS = 60;

/** Computes the bound, but at least the objective that was reached, as rounding may leave less. */
async function boundOf(
  { problem, weights }: PreparedMatching,
  tools: {
    readonly products: CrossProducts;
    readonly reached: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<number> {
  return Math.max(tools.reached, await objectiveBound(problem, weights, tools));
}

function reportOf({ search, iterations, sweeps, status }: Omit<Search, "objective" | "placement">) {
  return { search, iterations, sweeps, status };
}

async function beforeOf({ problem, weights }: PreparedMatching): Promise<{ raw: number; scaled: number }> {
  const identity = Int32Array.from({ length: problem.spec.units }, (_, unit) => unit);
  const scaled = await weights.objective(identity, true);
  return { scaled, raw: weights.isScaled ? await weights.objective(identity, false) : scaled };
}

/**
 * Returns the search that the memory allows: the relaxation holds every symmetry at once, so "best" leaves it
 * out if it does not fit half of the memory.
 */
function affordableSearch(
  spec: SymmetrySpec,
  { search, memory }: { readonly search: MatchSearch; readonly memory: number | undefined },
): MatchSearch {
  const bytes = bytesForFrankWolfe({ spec });
  if (memory === undefined || search === "coordinate-descent" || bytes <= memory / 2) return search;
  if (search === "best") return "coordinate-descent";
  throw new OutOfRangeError(
    `Cannot match weights by Frank-Wolfe as it must fit half of the memory: it holds ${Math.ceil(bytes / 2 ** 20)} MiB of ${Math.floor(memory / 2 ** 20)}; search by coordinate descent`,
  );
}

function assertOptions(
  seed: number,
  options: Pick<Required<MatchWeightsOptions>, "restarts" | "maxSweeps" | "search" | "memory">,
): void {
  const { search, memory } = options;
  assertWholeOptions("match weights", { seed, ...options }, { seed: 0, restarts: 1, maxSweeps: 1 });
  if (memory !== undefined) assertWholeOptions("match weights", { memory }, { memory: 1 });
  if (MATCH_SEARCHES.includes(search)) return;
  throw new UsageError(
    `Cannot match weights as search must be one of ${MATCH_SEARCHES.join(", ")}: got ${String(search)}`,
  );
}
