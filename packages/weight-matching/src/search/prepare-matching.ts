import type { Graph } from "@isthmus/graph";
import type { Alignment, SymmetrySpec } from "@isthmus/symmetry";
import type { AssignmentSolver } from "../assignment/assignment-solver.ts";
import { createAssignmentSolver } from "../assignment/create-assignment-solver.ts";
import { BlockMatcher } from "../coordinate-descent/block-matcher.ts";
import type { CrossProducts } from "../coordinate-descent/cross-products.ts";
import type { DescentProblem } from "../coordinate-descent/descend.ts";
import { findOccurrences } from "../coordinate-descent/occurrences.ts";
import { createPlacementExpander, identityPlacement, placementOf } from "../coordinate-descent/placement.ts";
import { createUnitTree } from "../coordinate-descent/unit-tree.ts";
import { type MemoryPlan, planMemory } from "../out-of-core/plan-memory.ts";
import { SquareBuffers } from "../out-of-core/square-buffers.ts";
import { type NetworkPair, streamWeights } from "../out-of-core/stream-weights.ts";
import { createWeightTiles } from "../out-of-core/weight-tiles.ts";
import { loadWeights } from "../weights/load-weights.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { normFactors } from "../weights/scale-by-norms.ts";
import type { Stopwatch } from "./matching-seconds.ts";

/** How a problem is prepared. */
export interface PrepareOptions {
  readonly graph: Graph | undefined;
  readonly start: Alignment | undefined;
  /** Bytes that matching may hold; the weights are kept in memory if not given. */
  readonly memory: number | undefined;
  /** Indices of symmetries that stay as they are. */
  readonly held: ReadonlySet<number>;
  readonly products: CrossProducts;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal | undefined;
}

/** A problem to search, and the weights it is about. */
export interface PreparedMatching {
  readonly problem: DescentProblem;
  readonly weights: MatchedWeights;
}

/** Rounding of the objective; nothing can be gained beyond this close to its bound. */
const LIMIT_TOLERANCE = 1e-9;

/**
 * Gets everything ready for searching.
 * @throws OutOfRangeError if `memory` is too little
 */
export async function prepareMatching(
  networks: NetworkPair,
  spec: SymmetrySpec,
  options: PrepareOptions,
): Promise<PreparedMatching> {
  const { held, start, memory, stopwatch } = options;
  const tree = createUnitTree(spec);
  const expander = createPlacementExpander(spec);
  const plan = memory === undefined ? undefined : planMemory({ spec, tree, held }, memory);
  const largest = Math.max(0, ...spec.symmetries.map(({ size }, index) => (held.has(index) ? 0 : size)));
  const solver = timed(createAssignmentSolver(largest, largest), stopwatch);
  const weights =
    plan === undefined
      ? await loadWeights(networks, spec, options)
      : await openStream(networks, spec, { ...options, plan, solver });
  const isHeld = (symmetry: number) => held.has(symmetry);
  const matchers = tree.blocks.map((block) => {
    const occurrences = findOccurrences(tree, block, expander);
    return new BlockMatcher(block, occurrences, { costs: weights.costsOf(occurrences), solver, isHeld });
  });
  const sumOf = (network: "a" | "b") =>
    [...weights.norms.values()].reduce((sum, norms) => sum + norms[network] ** 2, 0);
  const problem: DescentProblem = {
    spec,
    tree,
    expander,
    matchers,
    held,
    start: start === undefined ? identityPlacement(spec) : placementOf(spec, start),
    objectiveOf: (source, only) => weights.objective(source, true, only),
    // By Cauchy and Schwarz; a permuted copy of A reaches it.
    limit: Math.sqrt(sumOf("a") * sumOf("b")) * (1 - LIMIT_TOLERANCE),
  };
  return { problem, weights };
}

async function openStream(
  networks: NetworkPair,
  spec: SymmetrySpec,
  {
    graph,
    plan,
    solver,
    ...tools
  }: PrepareOptions & { readonly plan: MemoryPlan; readonly solver: AssignmentSolver },
): Promise<MatchedWeights> {
  const { tileElements, cacheBytes } = plan;
  const factorsOf = async (network: "a" | "b") =>
    graph === undefined ? new Map<string, Float64Array>() : normFactors(graph, networks[network]);
  const factors = { a: await factorsOf("a"), b: await factorsOf("b") };
  return streamWeights(networks, spec, {
    ...tools,
    a: createWeightTiles(networks.a, { cacheBytes, factors: factors.a }),
    b: createWeightTiles(networks.b, { cacheBytes, factors: factors.b }),
    buffers: new SquareBuffers(solver),
    tileElements,
    isScaled: factors.a.size > 0,
  });
}

/** Wraps a solver so that the time of its solves is measured. */
function timed(solver: AssignmentSolver, stopwatch: Stopwatch): AssignmentSolver {
  return {
    maxRows: solver.maxRows,
    maxColumns: solver.maxColumns,
    costs: (rows, columns) => solver.costs(rows, columns),
    solve: (cost, options) => stopwatch.timeSync("assignment", () => solver.solve(cost, options)),
  };
}

/** Wraps products so that their time is measured. */
export function timedProducts(products: CrossProducts, stopwatch: Stopwatch): CrossProducts {
  return {
    add: (a, b, base, out) => stopwatch.time("products", () => products.add(a, b, base, out)),
    addByRows: (factors, base, out) =>
      stopwatch.time("products", () => products.addByRows(factors, base, out)),
    release: () => products.release(),
  };
}
