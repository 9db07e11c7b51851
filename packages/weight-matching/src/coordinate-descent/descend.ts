import type { Random } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/graph";
import { alignmentObjective } from "./alignment-objective.ts";
import type { BlockMatcher, Proposal, WeightPair } from "./block-matcher.ts";
import type { PanelSources } from "./panel.ts";
import { identityPlacement, type PlacementExpander } from "./placement.ts";

/** What a search works on. */
export interface DescentProblem {
  readonly spec: SymmetrySpec;
  readonly weights: WeightPair;
  readonly expander: PlacementExpander;
  /** One for each block, in the order of the unit tree. */
  readonly matchers: readonly BlockMatcher[];
}

/** How a search is run. */
export interface DescentOptions {
  readonly random: Random;
  /** 0 starts from nothing known; others from a random placement. */
  readonly restart: number;
  readonly maxSweeps: number;
  readonly signal: AbortSignal | undefined;
  readonly onSweep: (sweep: number) => void;
}

/** Where a search ended. */
export interface Descent {
  /** The whole alignment, `[units]`. */
  readonly source: Int32Array;
  readonly objective: number;
  readonly sweeps: number;
  readonly status: "converged" | "maxSweeps";
}

/** Coordinate descent from one start to a placement that no block can improve alone. */
export async function descend(problem: DescentProblem, options: DescentOptions): Promise<Descent> {
  const { spec, weights, expander, matchers } = problem;
  const state = new DescentState(problem);
  for (const matcher of matchers) matcher.reset();
  let sweeps = 0;
  let status: Descent["status"] = "maxSweeps";
  await firstSweep(state, problem, options);
  options.onSweep(++sweeps);
  while (sweeps < options.maxSweeps) {
    const moved = await sweep(state, problem, options);
    options.onSweep(++sweeps);
    if (moved) continue;
    status = "converged";
    break;
  }
  const source = expander.expand(state.placement);
  return { source, objective: alignmentObjective(spec, weights, source), sweeps, status };
}

/** A placement on its way, and which blocks have something to gain. */
class DescentState {
  readonly placement: Int32Array[];
  /** Blocks to solve: one that they depend on has moved since they were solved. */
  readonly open: Set<number>;
  readonly #problem: DescentProblem;

  constructor(problem: DescentProblem) {
    this.#problem = problem;
    this.placement = identityPlacement(problem.spec);
    this.open = new Set(problem.matchers.keys());
  }

  /** The whole alignment, as it is and with one block in place. */
  sourcesOf(matcher: BlockMatcher): PanelSources {
    const identity = identityPlacement(this.#problem.spec);
    const framed = this.placement.slice();
    for (const { index } of matcher.block.members) framed[index] = identity[index] ?? new Int32Array();
    const { expander } = this.#problem;
    return { current: expander.expand(this.placement), frame: expander.expand(framed) };
  }

  accept(block: number, proposal: Proposal): void {
    for (const [symmetry, choices] of proposal.choices) this.placement[symmetry] = choices;
    this.#problem.matchers.forEach((matcher, index) => {
      if (index !== block && matcher.dependsOn.has(block)) this.open.add(index);
    });
    if (this.#problem.matchers[block]?.coupled === true) this.open.add(block);
  }
}

function blockOrder({ matchers }: DescentProblem, random: Random): Int32Array {
  return random.shuffleInPlace(Int32Array.from(matchers.keys()));
}

/**
 * Places every block once, each by those weights whose other side is placed already; blocks about which
 * nothing is known yet wait until something is.
 */
async function firstSweep(
  state: DescentState,
  problem: DescentProblem,
  options: DescentOptions,
): Promise<void> {
  const placed = new Set<number>();
  const waiting = [...blockOrder(problem, options.random)];
  while (waiting.length > 0) {
    options.signal?.throwIfAborted();
    const informed = waiting.findIndex((block) => problem.matchers[block]?.isInformed(placed));
    const [block = 0] = waiting.splice(Math.max(0, informed), 1);
    const matcher = problem.matchers[block];
    if (matcher !== undefined) {
      state.accept(block, await matcher.propose(state.sourcesOf(matcher), state.placement, placed));
    }
    placed.add(block);
  }
}

async function sweep(
  state: DescentState,
  problem: DescentProblem,
  options: DescentOptions,
): Promise<boolean> {
  let moved = false;
  for (const block of blockOrder(problem, options.random)) {
    const matcher = problem.matchers[block];
    if (matcher === undefined || !state.open.delete(block)) continue;
    options.signal?.throwIfAborted();
    const proposal = await matcher.propose(state.sourcesOf(matcher), state.placement);
    if (!isImprovement(state, problem, { matcher, proposal })) continue;
    state.accept(block, proposal);
    moved = true;
  }
  return moved;
}

function isImprovement(
  state: DescentState,
  { spec, weights, expander }: DescentProblem,
  { matcher, proposal }: { readonly matcher: BlockMatcher; readonly proposal: Proposal },
): boolean {
  if (proposal.gain <= proposal.noise) return false;
  if (!matcher.coupled) return true;
  // The costs are only the slope of a quadratic: what counts is where the step ends.
  const after = state.placement.slice();
  for (const [symmetry, choices] of proposal.choices) after[symmetry] = choices;
  const objectiveOf = (placement: Int32Array[]) =>
    alignmentObjective(spec, weights, expander.expand(placement), matcher.tensors);
  return objectiveOf(after) - objectiveOf(state.placement) > proposal.noise;
}
