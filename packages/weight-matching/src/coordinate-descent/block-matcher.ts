import { at, entry } from "@isthmus/core";
import type { AssignmentSolver } from "../assignment/assignment-solver.ts";
import { type MemberCosts, type PanelSources, whosePartnersAre } from "./member-costs.ts";
import type { MemberOccurrences, Occurrence } from "./occurrences.ts";
import type { Placement } from "./placement.ts";
import { solveBlock } from "./solve-block.ts";
import type { Block, Member } from "./unit-tree.ts";

/** A step that a block proposes. */
export interface Proposal {
  /** New choices for every member of the block, by index of its symmetry. */
  readonly choices: ReadonlyMap<number, Int32Array>;
  /** Rise of the linear part of the objective by the new choices of the block. */
  readonly gain: number;
  /** Largest error that rounding of the costs may have put into `gain`. */
  readonly noise: number;
}

/**
 * Relative error allowed for an entry of a cost matrix: f32 products of a few thousand terms stay well below.
 * A step that gains less may be mere rounding, and descent would walk in circles by such steps.
 */
const COST_NOISE = 2 ** -20;

/** The tools that matchers share. */
export interface MatcherTools {
  /** Source of the costs `[units, units]` of each member, which the solver assigns by. */
  readonly costs: MemberCosts;
  /** Solver that is large enough for every member; it may be shared, as matchers take turns. */
  readonly solver: AssignmentSolver;
  /** Checks whether a symmetry must not be moved, by index. */
  readonly isHeld: (symmetry: number) => boolean;
}

/**
 * Matcher of one block: it finds the best placement of the block while all others stay in their present
 * places.
 */
export class BlockMatcher {
  readonly block: Block;
  /** Other blocks on whose placement the costs depend. */
  readonly dependsOn: ReadonlySet<number>;
  /** Whether some weight holds the block twice, so that `gain` is only a first-order estimate. */
  readonly coupled: boolean;
  /** Names of the weights that hold units of the block. */
  readonly tensors: ReadonlySet<string>;
  readonly occurrences: MemberOccurrences;
  /** Whether no symmetry of the block may move. */
  readonly held: boolean;
  /** Whether its outermost symmetry may not move. */
  readonly rootHeld: boolean;
  readonly #tools: MatcherTools;
  readonly #duals = new Map<number, Float64Array>();

  constructor(block: Block, occurrences: MemberOccurrences, tools: MatcherTools) {
    this.block = block;
    this.occurrences = occurrences;
    this.#tools = tools;
    const all = [...occurrences.values()].flat();
    this.dependsOn = new Set(all.flatMap(({ dependsOn }) => [...dependsOn]));
    this.tensors = new Set(all.map(({ tensor }) => tensor));
    this.coupled = all.some(({ coupled }) => coupled);
    this.held = block.members.every(({ index }) => tools.isHeld(index));
    this.rootHeld = tools.isHeld(block.root.index);
  }

  /** Checks whether some occurrence counts when only `placed` blocks have a meaningful placement. */
  isInformed(placed: ReadonlySet<number>): boolean {
    return [...this.occurrences.values()].flat().some(whosePartnersAre(placed));
  }

  /**
   * Solves the block exactly.
   *
   * @param sources - the whole alignment, at present and with the units of this block in their original
   *   places
   * @param current - choices now
   * @param placed - blocks whose placement counts; occurrences that depend on others are left out
   */
  async propose(sources: PanelSources, current: Placement, placed?: ReadonlySet<number>): Promise<Proposal> {
    const costs = await this.costsAt(sources, placed && whosePartnersAre(placed));
    const choices = this.solve(costs, current);
    let gain = 0;
    let noise = 0;
    for (const member of this.block.members) {
      const cost = entry(costs, member, "member");
      const after = unitsOf(this.block, member, choices);
      const before = unitsOf(this.block, member, currentChoices(this.block, current));
      const units = after.length;
      after.forEach((unit, place) => {
        const old = at(before, place, "unit");
        if (unit === old) return;
        const risen = at(cost, place * units + unit, "cost");
        const fallen = at(cost, place * units + old, "cost");
        gain += risen - fallen;
        noise += COST_NOISE * (Math.abs(risen) + Math.abs(fallen));
      });
    }
    return { choices, gain, noise };
  }

  /** Computes the costs of all members, each `[units, units]`; valid until the next call. */
  async costsAt(
    sources: PanelSources,
    usable?: (occurrence: Occurrence) => boolean,
  ): Promise<Map<Member, Float32Array>> {
    const costs = new Map<Member, Float32Array>();
    for (const member of this.block.members) {
      costs.set(member, await this.#tools.costs.costOf(member, sources, usable));
    }
    return costs;
  }

  /** Finds the best choices for some costs; held symmetries keep their current ones. */
  solve(costs: ReadonlyMap<Member, Float32Array>, current: Placement): Map<number, Int32Array> {
    const { solver, isHeld } = this.#tools;
    const held = (index: number) => (isHeld(index) ? at(current, index, "symmetry") : undefined);
    return solveBlock(this.block, costs, { solver, duals: this.#duals, held });
  }
}

function currentChoices(block: Block, placement: Placement): ReadonlyMap<number, Int32Array> {
  return new Map(block.members.map(({ index }) => [index, at(placement, index, "symmetry")]));
}

/**
 * Returns the unit, within its member, that takes each place of the member under some choices of the block.
 */
export function unitsOf(block: Block, member: Member, choices: ReadonlyMap<number, Int32Array>): Int32Array {
  const chosen = entry(choices, member.index, "symmetry");
  const parent = block.members.find(({ children }) => children.includes(member));
  const { size } = member.symmetry;
  if (parent === undefined) return chosen.map((choice, place) => place - (place % size) + choice);
  const units = new Int32Array(chosen.length);
  unitsOf(block, parent, choices).forEach((from, to) => {
    const cell = at(member.cellOfParentUnit, to, "parent unit");
    const source = at(member.cellOfParentUnit, from, "parent unit");
    for (let i = 0; i < size; i++) {
      units[cell * size + i] = source * size + at(chosen, cell * size + i, "choice");
    }
  });
  return units;
}
