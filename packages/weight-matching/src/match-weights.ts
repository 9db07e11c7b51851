import {
  asFloat32,
  assertSameStructure,
  type Checkpoint,
  createRandom,
  formatShape,
  InputError,
  MismatchError,
  resolveOptions,
  sameShape,
} from "@isthmus/core";
import type { Alignment, Engine, SymmetrySpec } from "@isthmus/graph";
import { alignmentObjective, votes } from "./coordinate-descent/alignment-objective.ts";
import { BlockMatcher, type WeightPair } from "./coordinate-descent/block-matcher.ts";
import { createCrossProducts } from "./coordinate-descent/cross-products.ts";
import { type Descent, type DescentProblem, descend } from "./coordinate-descent/descend.ts";
import { findOccurrences } from "./coordinate-descent/occurrences.ts";
import { createPlacementExpander, identityPlacement } from "./coordinate-descent/placement.ts";
import { startFresh, startFromKick } from "./coordinate-descent/starts.ts";
import { createUnitTree } from "./coordinate-descent/unit-tree.ts";

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
  /** Engine for the products of weights; without one they are computed by a plain loop. @defaultValue none */
  readonly engine?: Engine | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MatchProgress) => void) | undefined;
}

/** Defaults of {@link matchWeights}; the seed has none. */
export const MATCH_WEIGHTS_DEFAULTS: Required<Omit<MatchWeightsOptions, "seed">> = {
  restarts: 8,
  maxSweeps: 100,
  engine: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** One search of {@link matchWeights}. */
export interface MatchRestart {
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
 * exactly while the others stay, then iterated local search. Differs from the reference implementation in: 1. any specification, nested
 * symmetries included, which are solved together with those they are nested in; 2. the first sweep leaves out
 * weights whose other side has no placement yet, instead of taking the identity for one; 3. searches that go on from the best so far;
 * 4. a step is taken only if it gains more than rounding; 5. a symmetry is solved again only if one it
 * depends on has moved; 6. running statistics follow but do not vote.
 *
 * @throws MismatchError if the checkpoints differ in names or shapes, or lack weights of the specification
 * @throws InputError if a weight is NaN or infinite; it is named
 * @throws RangeError if an option is out of range
 */
export async function matchWeights(
  a: Checkpoint,
  b: Checkpoint,
  spec: SymmetrySpec,
  options: MatchWeightsOptions,
): Promise<MatchWeightsResult> {
  const { seed, ...given } = options;
  const { engine, restarts, maxSweeps, signal, onProgress } = resolveOptions(
    "match weights",
    MATCH_WEIGHTS_DEFAULTS,
    given,
  );
  assertCount("restarts", restarts);
  assertCount("maxSweeps", maxSweeps);
  assertSameStructure(a, b);
  const weights = { a: await readParameters(a, spec), b: await readParameters(b, spec) };
  const expander = createPlacementExpander(spec);
  const tree = createUnitTree(spec);
  const products = await createCrossProducts(engine);
  try {
    const matchers = tree.blocks.map(
      (block) => new BlockMatcher(block, findOccurrences(tree, block, expander), weights, products),
    );
    const problem = { spec, weights, expander, matchers };
    const searches = await search(problem, {
      seed,
      restarts,
      maxSweeps,
      signal,
      onProgress,
    });
    const best = bestOf(searches);
    const before = alignmentObjective(spec, weights, expander.expand(identityPlacement(spec)));
    return {
      alignment: { source: expander.expand(best.placement) },
      objective: { before, after: best.objective },
      sweeps: best.sweeps,
      status: best.status,
      restarts: searches.map(({ objective, sweeps, status }) => ({ objective, sweeps, status })),
      seed,
    };
  } finally {
    await products.release();
  }
}

/** All searches of one call; stops early where no other could find more. */
async function search(
  problem: DescentProblem,
  options: Pick<Required<MatchWeightsOptions>, "seed" | "restarts" | "maxSweeps" | "signal" | "onProgress">,
): Promise<Descent[]> {
  const { seed, restarts, maxSweeps, signal, onProgress } = options;
  const limit = objectiveLimit(problem.weights);
  const searches: Descent[] = [];
  for (let restart = 0; restart < restarts; restart++) {
    const random = createRandom(seed, `match weights ${restart}`);
    const state =
      restart === 0
        ? await startFresh(problem, random, signal)
        : startFromKick(problem, bestOf(searches).placement, random);
    if (state === undefined) break;
    const onSweep = (sweep: number) => onProgress?.({ restart, restarts, sweep });
    searches.push(await descend(problem, state, { random, maxSweeps, signal, onSweep }));
    if (bestOf(searches).objective >= limit) break;
  }
  return searches;
}

function bestOf(searches: readonly Descent[]): Descent {
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

function assertCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new RangeError(`Cannot match weights as ${name} must be a whole number of at least 1: got ${value}`);
}

async function readParameters(
  checkpoint: Checkpoint,
  spec: SymmetrySpec,
): Promise<Map<string, Float32Array>> {
  const parameters = new Map<string, Float32Array>();
  for (const [name, layout] of spec.weights) {
    if (!votes(layout)) continue;
    const { dtype, shape, data } = await checkpoint.read(name);
    if (!sameShape(shape, layout.shape)) {
      throw new MismatchError(
        `Cannot match "${name}" of "${checkpoint.source}" as shapes must be equal: the symmetries are for ${formatShape(layout.shape)}, the checkpoint has ${formatShape(shape)}`,
        { parameters: [name] },
      );
    }
    const values = asFloat32(data, dtype);
    assertFinite(values, name, checkpoint.source);
    parameters.set(name, values);
  }
  return parameters;
}

function assertFinite(values: Float32Array, name: string, source: string): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  throw new InputError(
    `Cannot match "${name}" of "${source}" as weights must be finite: element ${index} is ${values[index]}`,
    { input: source },
  );
}
