import { at, type Random } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import type { BlockMatcher, Proposal } from "./block-matcher.ts";
import type { DescentState } from "./descent-state.ts";
import type { Placement, PlacementExpander } from "./placement.ts";
import type { UnitTree } from "./unit-tree.ts";

/** A matching problem that is searched. */
export interface DescentProblem {
  /** Symmetries of the networks, and the layout of each weight. */
  readonly spec: SymmetrySpec;
  /** Units of the specification in blocks that are matched one at a time. */
  readonly tree: UnitTree;
  /** Expander of placements to the source of every unit. */
  readonly expander: PlacementExpander;
  /** Computes the objective of an alignment, over all weights or only some by name. */
  readonly objectiveOf: (source: Int32Array, only?: ReadonlySet<string>) => Promise<number>;
  /** A number that no objective can exceed, nearly reached if B is a permuted A. */
  readonly limit: number;
  /** Matcher of each block, in the order of the unit tree. */
  readonly matchers: readonly BlockMatcher[];
  /** Indices of symmetries that keep the placement of `start`. */
  readonly held: ReadonlySet<number>;
  /** The placement at the start. */
  readonly start: Placement;
}

/** Options of a search. */
export interface DescentOptions {
  /** Source of random numbers for the order of blocks in each sweep. */
  readonly random: Random;
  /** Sweeps over all blocks after which the search is given up. */
  readonly maxSweeps: number;
  /** Signal that stops the search, checked before each block; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called for every block: how many sweeps are done, and which share of the next, in `[0, 1]`. */
  readonly onProgress: (sweep: number, share: number) => void;
}

/** The result of a search. */
export interface Descent {
  /** Placement that the search ended with. */
  readonly placement: Placement;
  /** Objective of that placement over all weights: the inner product of A and permuted B. */
  readonly objective: number;
  /** Number of sweeps over all blocks that were made. */
  readonly sweeps: number;
  /** Reason for the end: no block can improve alone, or the sweeps are used up. */
  readonly status: "converged" | "maxSweeps";
}

/**
 * Improves a placement by coordinate descent: sweeps over the open blocks in random order until no block can
 * improve alone.
 *
 * @param state - the placement to start from; changed into the result
 */
export async function descend(
  problem: DescentProblem,
  state: DescentState,
  options: DescentOptions,
): Promise<Descent> {
  let sweeps = 0;
  let status: Descent["status"] = "maxSweeps";
  while (sweeps < options.maxSweeps) {
    const done = sweeps;
    const moved = await sweep(state, problem, {
      ...options,
      onProgress: (_, share) => options.onProgress(done, share),
    });
    options.onProgress(++sweeps, 0);
    if (moved || state.openNext()) continue;
    status = "converged";
    break;
  }
  const { placement } = state;
  const objective = await problem.objectiveOf(problem.expander.expand(placement));
  return { placement, objective, sweeps, status };
}

async function sweep(
  state: DescentState,
  problem: DescentProblem,
  options: DescentOptions,
): Promise<boolean> {
  let moved = false;
  const order = options.random.shuffleInPlace(Int32Array.from(problem.matchers.keys()));
  for (const [place, block] of order.entries()) {
    options.onProgress(0, place / order.length);
    if (!state.take(block)) continue;
    const matcher = at(problem.matchers, block, "block");
    options.signal?.throwIfAborted();
    const proposal = await matcher.propose(state.sourcesOf(block), state.placement);
    if (!(await isImprovement(state, problem, { matcher, proposal }))) continue;
    state.accept(block, proposal.choices);
    moved = true;
  }
  return moved;
}

async function isImprovement(
  state: DescentState,
  { expander, objectiveOf }: DescentProblem,
  { matcher, proposal }: { readonly matcher: BlockMatcher; readonly proposal: Proposal },
): Promise<boolean> {
  if (proposal.gain <= proposal.noise) return false;
  if (!matcher.coupled) return true;
  // The costs are only the slope of a quadratic function: the objective at the end of the step decides.
  const objectiveAt = (placement: Placement) => objectiveOf(expander.expand(placement), matcher.tensors);
  const risen = await objectiveAt(state.with(proposal.choices));
  return risen - (await objectiveAt(state.placement)) > proposal.noise;
}
