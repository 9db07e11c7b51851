import {
  type Checkpoint,
  entry,
  gatherInto,
  matchesGlob,
  sizeOf,
  squaredNorm,
  UsageError,
} from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { Alignment, SymmetrySpec } from "@isthmus/symmetry";
import type { AssignmentSolver } from "../assignment/assignment-solver.ts";
import { createAssignmentSolver } from "../assignment/create-assignment-solver.ts";
import { votes, type WeightPair, weightObjective } from "../coordinate-descent/alignment-objective.ts";
import { BlockMatcher } from "../coordinate-descent/block-matcher.ts";
import type { CrossProducts } from "../coordinate-descent/cross-products.ts";
import type { DescentProblem } from "../coordinate-descent/descend.ts";
import { findOccurrences } from "../coordinate-descent/occurrences.ts";
import { PanelCosts } from "../coordinate-descent/panel-costs.ts";
import { PanelMemory } from "../coordinate-descent/panel-memory.ts";
import { createPlacementExpander, identityPlacement, placementOf } from "../coordinate-descent/placement.ts";
import { createUnitTree } from "../coordinate-descent/unit-tree.ts";
import { type MemoryPlan, planMemory } from "../out-of-core/plan-memory.ts";
import { SquareBuffers } from "../out-of-core/square-buffers.ts";
import { type NetworkPair, streamWeights } from "../out-of-core/stream-weights.ts";
import { createWeightTiles, type WeightTiles } from "../out-of-core/weight-tiles.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { readParameters } from "../weights/read-parameters.ts";
import { normFactors, scaleByNorms } from "../weights/scale-by-norms.ts";
import type { Stopwatch } from "./matching-seconds.ts";
import { Pauses } from "./pauses.ts";

/** Options of {@link prepareMatching}. */
export interface PrepareOptions {
  /**
   * Graph whose norms scale the weights before they are matched; undefined if weights are matched unscaled.
   */
  readonly graph: Graph | undefined;
  /** Alignment that gives the problem its start; undefined if all units start in their places. */
  readonly start: Alignment | undefined;
  /** Bytes that matching may hold; the weights are kept in memory if not given. */
  readonly memory: number | undefined;
  /** Indices of symmetries that are not moved. */
  readonly held: ReadonlySet<number>;
  /** Port that computes products of weights. */
  readonly products: CrossProducts;
  /** Stopwatch that assignments and reading are measured with. */
  readonly stopwatch: Stopwatch;
  /** Signal that stops reading; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
}

/** A problem to search, and the weights it is about. */
export interface PreparedMatching {
  /** Problem to search, with a matcher for each block. */
  readonly problem: DescentProblem;
  /** Weights of both networks, in memory or read when needed. */
  readonly weights: MatchedWeights;
}

/** Relative rounding of the objective: a search this close to the bound can gain nothing more. */
const LIMIT_TOLERANCE = 1e-9;

/**
 * Prepares the problem of matching two networks, and the weights it is about.
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

/** A selection of symmetries by their names; `*` matches any characters and `?` matches one. */
export interface SymmetrySelection {
  /** Patterns of which one must fit the name of a symmetry for it to be matched. @defaultValue all */
  readonly only?: readonly string[] | undefined;
  /** Patterns of names of symmetries to leave out. @defaultValue none */
  readonly skip?: readonly string[] | undefined;
}

/**
 * Finds the indices of the symmetries that a selection leaves out.
 * @throws TypeError if a pattern fits no symmetry, or none is left
 */
export function heldSymmetries(spec: SymmetrySpec, { only, skip }: SymmetrySelection): ReadonlySet<number> {
  const names = spec.symmetries.map(({ name }) => name);
  const chosen = only === undefined ? new Set(names.keys()) : findByPatterns("only", only, names);
  const left = skip === undefined ? new Set<number>() : findByPatterns("skip", skip, names);
  const held = new Set([...names.keys()].filter((index) => !chosen.has(index) || left.has(index)));
  if (names.length > 0 && held.size === names.length) {
    throw new UsageError(
      `Cannot match weights as only and skip must leave a symmetry to match: they leave none of ${names.length}`,
    );
  }
  return held;
}

/** Most names that an error lists. */
const LISTED = 12;

function findByPatterns(option: string, patterns: readonly string[], names: readonly string[]): Set<number> {
  const indices = new Set<number>();
  for (const pattern of patterns) {
    const fitting = [...names.entries()].flatMap(([index, name]) =>
      matchesGlob(pattern, name) ? [index] : [],
    );
    if (fitting.length === 0) {
      const more = names.length > LISTED ? `, and ${names.length - LISTED} more` : "";
      throw new UsageError(
        `Cannot match weights as every pattern of ${option} must fit the name of a symmetry: "${pattern}" fits none of ${names.slice(0, LISTED).join(", ")}${more}`,
      );
    }
    for (const index of fitting) indices.add(index);
  }
  return indices;
}

/**
 * Reads all weights that vote into memory.
 * @throws MismatchError if a checkpoint lacks a weight, or the shape of a weight differs
 * @throws InputError if a value is NaN or infinite; the weight is named
 */
async function loadWeights(
  { a, b }: NetworkPair,
  spec: SymmetrySpec,
  { graph, products, signal }: Pick<PrepareOptions, "graph" | "products" | "signal">,
): Promise<MatchedWeights> {
  const raw = { a: await readParameters(a, spec), b: await readParameters(b, spec) };
  const scaled = graph === undefined ? raw : await scalePair(graph, { a, b }, raw);
  const memory = new PanelMemory();
  const pauses = new Pauses(signal);
  const normOf = (data: Float32Array) => Math.sqrt(squaredNorm({ dtype: "f32", data }));
  return {
    costsOf: (occurrences) => new PanelCosts(occurrences, scaled, products, memory),
    async objective(source, isScaled, only) {
      let sum = 0;
      for (const [name, layout] of spec.weights) {
        if (!votes(layout) || only?.has(name) === false) continue;
        await pauses.before(sizeOf(layout.view));
        sum += weightObjective([name, layout], isScaled ? scaled : raw, source);
      }
      return sum;
    },
    norms: new Map(
      [...scaled.a].map(([name, values]) => [
        name,
        { a: normOf(values), b: normOf(entry(scaled.b, name, "weight")) },
      ]),
    ),
    tiles: { a: tilesOf(scaled.a), b: tilesOf(scaled.b) },
    tileElements: Number.POSITIVE_INFINITY,
    isScaled: scaled !== raw,
  };
}

/** Creates a reader of parts of weights that are in memory. */
function tilesOf(weights: ReadonlyMap<string, Float32Array>): WeightTiles {
  return {
    async read(tensor, _, { lead, rest }) {
      const count = rest.reduce((product, table) => product * table.length, lead.length);
      return gatherInto(entry(weights, tensor, "weight"), [lead, ...rest], new Float32Array(count));
    },
  };
}

async function scalePair(
  graph: Graph,
  checkpoints: { readonly a: Checkpoint; readonly b: Checkpoint },
  raw: WeightPair,
): Promise<WeightPair> {
  const a = await scaleByNorms(graph, checkpoints.a);
  // The graph decides which weights norms scale, so both networks have the same ones, or none.
  if (a.size === 0) return raw;
  const b = await scaleByNorms(graph, checkpoints.b);
  return { a: replace(raw.a, a), b: replace(raw.b, b) };
}

/** Replaces parameters by their scaled form, if they have one. */
function replace<T>(parameters: ReadonlyMap<string, T>, scaled: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...parameters].map(([name, raw]) => [name, scaled.get(name) ?? raw]));
}
