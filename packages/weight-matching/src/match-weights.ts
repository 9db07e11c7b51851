import { assertSameStructure, type Checkpoint, resolveOptions } from "@isthmus/core";
import { type Alignment, assertAlignment, type Engine, type Graph, type SymmetrySpec } from "@isthmus/graph";
import { alignmentObjective } from "./coordinate-descent/alignment-objective.ts";
import { BlockMatcher, type WeightPair } from "./coordinate-descent/block-matcher.ts";
import { createCrossProducts } from "./coordinate-descent/cross-products.ts";
import { findOccurrences } from "./coordinate-descent/occurrences.ts";
import { createPlacementExpander, identityPlacement, placementOf } from "./coordinate-descent/placement.ts";
import { bestOf, searchPlacements } from "./coordinate-descent/search-placements.ts";
import { createUnitTree } from "./coordinate-descent/unit-tree.ts";
import { readParameters } from "./read-parameters.ts";
import { scaleByNorms } from "./scale-by-norms.ts";

/** How a search ended. */
export type MatchStatus = "converged" | "maxSweeps";

/** Progress of {@link matchWeights}. */
export interface MatchProgress {
  /** Restart under way, from 0. */
  readonly restart: number;
  readonly restarts: number;
  /** Sweeps done in this restart. */
  readonly sweep: number;
}

/** Options of {@link matchWeights}. */
export interface MatchWeightsOptions {
  /** Seed of all random choices. */
  readonly seed: number;
  /**
   * Searches, at least 1: the first from nothing, the others from the best so far with some units shuffled.
   * @defaultValue 8
   */
  readonly restarts?: number;
  /** Sweeps over all symmetries after which a search is given up, at least 1. @defaultValue 100 */
  readonly maxSweeps?: number;
  /**
   * The architecture, by which weights before batch norms are matched as the norms scale them; without it,
   * as they are. @defaultValue none
   */
  readonly graph?: Graph | undefined;
  /** Engine for the products of weights; without one they are computed by a plain loop. @defaultValue none */
  readonly engine?: Engine | undefined;
  /** Where the first search starts. @defaultValue from nothing */
  readonly start?: Alignment | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MatchProgress) => void) | undefined;
}

/** Defaults of {@link matchWeights}; the seed has none. */
export const MATCH_WEIGHTS_DEFAULTS: Required<Omit<MatchWeightsOptions, "seed">> = {
  restarts: 8,
  maxSweeps: 100,
  graph: undefined,
  engine: undefined,
  start: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** One search of {@link matchWeights}. */
export interface MatchRestart {
  /** As `scaledObjective.after` of the whole result. */
  readonly objective: number;
  readonly sweeps: number;
  readonly status: MatchStatus;
}

/** Result of {@link matchWeights}. */
export interface MatchWeightsResult {
  /** Permutes B so that it lies as close to A as was found. */
  readonly alignment: Alignment;
  /** Inner product of A and B over the parameters that can move, before and after. */
  readonly objective: { readonly before: number; readonly after: number };
  /** The same of what was matched: weights as batch norms scale them, if a graph was given. */
  readonly scaledObjective: { readonly before: number; readonly after: number };
  /** Sweeps of the best search. */
  readonly sweeps: number;
  /** How the best search ended. */
  readonly status: MatchStatus;
  readonly restarts: readonly MatchRestart[];
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
 * @throws MismatchError if the checkpoints differ in names or shapes, or lack weights of the specification, or `start` is
 *   not an alignment of it
 * @throws InputError if a weight, or with a graph a variance of a norm, is NaN or infinite; it is named
 * @throws RangeError if an option is out of range
 */
export async function matchWeights(
  a: Checkpoint,
  b: Checkpoint,
  spec: SymmetrySpec,
  options: MatchWeightsOptions,
): Promise<MatchWeightsResult> {
  const { seed, ...given } = options;
  const resolved = resolveOptions("match weights", MATCH_WEIGHTS_DEFAULTS, given);
  const { engine, restarts, maxSweeps, graph, start } = resolved;
  assertCount("seed", seed, 0);
  assertCount("restarts", restarts, 1);
  assertCount("maxSweeps", maxSweeps, 1);
  assertSameStructure(a, b);
  if (start !== undefined) assertAlignment(spec, start);
  const raw = { a: await readParameters(a, spec), b: await readParameters(b, spec) };
  const scaled = graph === undefined ? raw : await scalePair(graph, { a, b }, raw);
  const expander = createPlacementExpander(spec);
  const tree = createUnitTree(spec);
  const products = await createCrossProducts(engine);
  try {
    const matchers = tree.blocks.map(
      (block) => new BlockMatcher(block, findOccurrences(tree, block, expander), scaled, products),
    );
    const searches = await searchPlacements(
      { spec, weights: scaled, expander, matchers },
      { ...resolved, seed, start: start && placementOf(spec, start) },
    );
    const best = bestOf(searches);
    const identity = expander.expand(identityPlacement(spec));
    const source = expander.expand(best.placement);
    const objectiveOf = (weights: WeightPair) => ({
      before: alignmentObjective(spec, weights, identity),
      after: alignmentObjective(spec, weights, source),
    });
    const objective = objectiveOf(raw);
    return {
      alignment: { source },
      objective,
      scaledObjective: scaled === raw ? objective : objectiveOf(scaled),
      sweeps: best.sweeps,
      status: best.status,
      restarts: searches.map(({ objective, sweeps, status }) => ({ objective, sweeps, status })),
      seed,
    };
  } finally {
    await products.release();
  }
}

async function scalePair(
  graph: Graph,
  checkpoints: { readonly a: Checkpoint; readonly b: Checkpoint },
  raw: WeightPair,
): Promise<WeightPair> {
  const a = await scaleByNorms(graph, checkpoints.a);
  // Which weights norms scale is the graph's to say, so both networks have the same or none.
  if (a.size === 0) return raw;
  const b = await scaleByNorms(graph, checkpoints.b);
  return { a: replace(raw.a, a), b: replace(raw.b, b) };
}

/** Parameters with those that have a scaled form in it. */
function replace<T>(parameters: ReadonlyMap<string, T>, scaled: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...parameters].map(([name, own]) => [name, scaled.get(name) ?? own]));
}

function assertCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot match weights as ${name} must be a whole number of at least ${least}: got ${value}`,
  );
}
