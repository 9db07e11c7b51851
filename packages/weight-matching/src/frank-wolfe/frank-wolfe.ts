import { at, type Random } from "@isthmus/core";
import type { DescentProblem } from "../coordinate-descent/descend.ts";
import { DescentState } from "../coordinate-descent/descent-state.ts";
import type { Placement } from "../coordinate-descent/placement.ts";
import { randomPlacement, START_VERTICES } from "./random-placement.ts";
import { findRelaxable, type Relaxable } from "./relaxable.ts";
import { RelaxedBlock } from "./relaxed-permutations.ts";

/** Options of the relaxation. */
export interface FrankWolfeOptions {
  /** Source of random numbers for the start inside the polytope. */
  readonly random: Random;
  /** Most steps before the result is rounded, at least 1. */
  readonly maxIterations: number;
  /** Signal that stops the relaxation; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called after each step with the number of steps made. */
  readonly onIteration: (iteration: number) => void;
}

/** The rounded result of the relaxation. */
export interface Relaxation {
  /** Placement nearest to the relaxed permutations. */
  readonly placement: Placement;
  /** Number of steps made before rounding. */
  readonly iterations: number;
  /** End of the relaxation: `converged` if the objective rises in no direction any more. */
  readonly status: "converged" | "maxIterations";
}

/** Share of the value of the vertex below which a slope counts as zero. */
const GAP_TOLERANCE = 1e-4;

/**
 * Maximises the objective over the convex hull of all placements, all symmetries at once, and rounds to the
 * nearest placement.
 *
 * The objective is linear or bilinear in the permutations (see `findRelaxable`), so its gradient at a convex
 * combination of placements is the same combination of gradients at placements, which are the costs of
 * coordinate descent: no step multiplies by a doubly stochastic matrix. For the same reason the objective
 * along a direction is a parabola, known from the slopes at both ends: the line search is exact and free.
 *
 * @see Frank, Wolfe 1956; Vogelstein et al. 2015 (FAQ) for one permutation; Crisostomi et al. 2024 (C2M3) for
 *   all permutations of a network. Differs from C2M3 in: 1. nested symmetries; 2. the exact line search
 *   instead of fminbound; 3. a random start inside the polytope instead of the identity; 4. the result is
 *   polished by coordinate descent.
 */
export async function frankWolfe(problem: DescentProblem, options: FrankWolfeOptions): Promise<Relaxation> {
  const relaxable = findRelaxable(problem.tree, problem.matchers);
  const blocks = new Map<number, RelaxedBlock>();
  for (const block of relaxable.blocks) {
    blocks.set(block, new RelaxedBlock(at(problem.matchers, block, "block")));
  }
  const still = problem.start;
  for (let k = 0; k < START_VERTICES; k++) {
    await look(problem, { blocks, relaxable }, randomPlacement(problem, options.random), options.signal);
    for (const block of blocks.values()) block.step(1 / (k + 1));
  }
  const result = (iterations: number, status: Relaxation["status"]): Relaxation => ({
    placement: gather(problem, blocks, (block) => block.round(still)),
    iterations,
    status,
  });
  for (let iteration = 0; iteration < options.maxIterations; iteration++) {
    const vertex = gather(problem, blocks, (block) => block.steepest(still));
    for (const block of blocks.values()) block.face(vertex);
    const slope = total(blocks, (block) => block.slope());
    if (!(slope > GAP_TOLERANCE * total(blocks, (block) => block.scale()))) {
      return result(iteration, "converged");
    }
    await look(problem, { blocks, relaxable }, vertex, options.signal);
    const t = bestStep(
      slope,
      total(blocks, (block) => block.vertexSlope()),
    );
    for (const block of blocks.values()) block.step(t);
    options.onIteration(iteration + 1);
  }
  return result(options.maxIterations, "maxIterations");
}

/**
 * Finds the place in `[0, 1]` at which a parabola is highest, from its slope at 0, which is positive, and its
 * slope at 1.
 */
export function bestStep(slopeAtStart: number, slopeAtEnd: number): number {
  return slopeAtEnd >= 0 ? 1 : slopeAtStart / (slopeAtStart - slopeAtEnd);
}

/** Turns all blocks to a vertex, and computes the gradient there. */
async function look(
  problem: DescentProblem,
  {
    blocks,
    relaxable,
  }: { readonly blocks: ReadonlyMap<number, RelaxedBlock>; readonly relaxable: Relaxable },
  vertex: Placement,
  signal: AbortSignal | undefined,
): Promise<void> {
  const state = new DescentState(problem, vertex, []);
  for (const [index, block] of blocks) {
    signal?.throwIfAborted();
    block.face(vertex);
    block.note(await block.matcher.costsAt(state.sourcesOf(index), relaxable.usable));
  }
}

function total(blocks: ReadonlyMap<number, RelaxedBlock>, of: (block: RelaxedBlock) => number): number {
  let sum = 0;
  for (const block of blocks.values()) sum += of(block);
  return sum;
}

/** Returns the start with the choices of some blocks replaced. */
function gather(
  { start }: DescentProblem,
  blocks: ReadonlyMap<number, RelaxedBlock>,
  of: (block: RelaxedBlock) => ReadonlyMap<number, Int32Array>,
): Placement {
  const placement = start.slice();
  for (const block of blocks.values()) {
    for (const [symmetry, choices] of of(block)) placement[symmetry] = choices;
  }
  return placement;
}

/** Computes the bytes that the relaxation of a problem holds. */
export function bytesForFrankWolfe({ spec }: Pick<DescentProblem, "spec">): number {
  return spec.symmetries.reduce((sum, { cells, size }) => sum + 3 * 4 * (cells.length * size) ** 2, 0);
}
