import { type AssignmentSolver, createAssignmentSolver } from "../assignment/create-assignment-solver.ts";
import type { CrossProducts } from "./cross-products.ts";
import type { MemberOccurrences, Occurrence } from "./occurrences.ts";
import { Panel, type PanelMove, type PanelSources } from "./panel.ts";
import type { Placement } from "./placement.ts";
import { solveBlock } from "./solve-block.ts";
import type { Block, Member } from "./unit-tree.ts";

/** Weights of both networks, flat, by name. */
export interface WeightPair {
  readonly a: ReadonlyMap<string, Float32Array>;
  readonly b: ReadonlyMap<string, Float32Array>;
}

/** A step that a block proposes. */
export interface Proposal {
  /** New choices for every member of the block, by index of its symmetry. */
  readonly choices: ReadonlyMap<number, Int32Array>;
  /** How much the objective rises, as far as it is linear in the block. */
  readonly gain: number;
  /** Largest error that rounding of the costs may have put into `gain`. */
  readonly noise: number;
}

/**
 * Relative error allowed for an entry of a cost matrix: f32 products of a few thousand terms stay well below.
 * A step that gains less is not told apart from rounding, and descent would walk in circles on it.
 */
const COST_NOISE = 2 ** -20;

/** Finds the best placement of one block while all others stay where they are. */
export class BlockMatcher {
  readonly block: Block;
  /** Other blocks on whose placement the costs depend. */
  readonly dependsOn: ReadonlySet<number>;
  /** Whether some weight holds the block twice, so that `gain` is only a first-order estimate. */
  readonly coupled: boolean;
  /** Names of the weights that hold units of the block. */
  readonly tensors: ReadonlySet<string>;
  readonly #occurrences: MemberOccurrences;
  readonly #weights: WeightPair;
  readonly #products: CrossProducts;
  readonly #solver: AssignmentSolver;
  readonly #panels = new Map<Member, MemberPanels>();
  readonly #duals = new Map<number, Float64Array>();

  constructor(block: Block, occurrences: MemberOccurrences, weights: WeightPair, products: CrossProducts) {
    this.block = block;
    this.#occurrences = occurrences;
    this.#weights = weights;
    this.#products = products;
    const all = [...occurrences.values()].flat();
    this.dependsOn = new Set(all.flatMap(({ dependsOn }) => [...dependsOn]));
    this.tensors = new Set(all.map(({ tensor }) => tensor));
    this.coupled = all.some(({ coupled }) => coupled);
    const largest = Math.max(...block.members.map(({ symmetry }) => symmetry.size));
    this.#solver = createAssignmentSolver(largest, largest);
  }

  /** Whether anything is known of the block when only `placed` blocks have a meaningful placement. */
  isInformed(placed: ReadonlySet<number>): boolean {
    return [...this.#occurrences.values()].flat().some((occurrence) => isUsable(occurrence, placed));
  }

  /**
   * Solves the block exactly.
   *
   * @param sources - the whole alignment, as it is and with this block in place
   * @param current - choices now
   * @param placed - blocks whose placement counts; occurrences that depend on others are left out
   */
  async propose(sources: PanelSources, current: Placement, placed?: ReadonlySet<number>): Promise<Proposal> {
    const costs = new Map<Member, Float32Array>();
    for (const member of this.block.members) costs.set(member, await this.#costOf(member, sources, placed));
    const choices = solveBlock(this.block, costs, { solver: this.#solver, duals: this.#duals });
    let gain = 0;
    let noise = 0;
    for (const member of this.block.members) {
      const cost = costs.get(member) ?? new Float32Array();
      const after = unitsOf(this.block, member, choices);
      const before = unitsOf(this.block, member, currentChoices(this.block, current));
      const units = after.length;
      after.forEach((unit, place) => {
        const old = before[place] ?? 0;
        if (unit === old) return;
        const risen = cost[place * units + unit] ?? 0;
        const fallen = cost[place * units + old] ?? 0;
        gain += risen - fallen;
        noise += COST_NOISE * (Math.abs(risen) + Math.abs(fallen));
      });
    }
    return { choices, gain, noise };
  }

  /** The cost of a member, `[units, units]`: what is the same for every placement, plus the rest. */
  async #costOf(
    member: Member,
    sources: PanelSources,
    placed: ReadonlySet<number> | undefined,
  ): Promise<Float32Array> {
    const panels = await this.#panelsOf(member);
    if (placed !== undefined) {
      const usable = panels.moving.filter(({ occurrence }) => isUsable(occurrence, placed));
      const cost = await this.#sum(panels, planMoves(usable, sources));
      panels.cost = undefined;
      return cost;
    }
    const moves = planMoves(panels.moving, sources);
    const cost =
      panels.cost === undefined || !moves.every(({ move }) => move.few)
        ? await this.#sum(panels, moves)
        : await this.#update(panels, panels.cost, moves);
    panels.cost = cost;
    return cost;
  }

  async #sum(panels: MemberPanels, moves: readonly PlannedMove[]): Promise<Float32Array> {
    let cost = panels.fixed;
    for (const { panel, move } of moves) {
      panel.follow(move);
      cost = await this.#add(panels, cost, panel);
    }
    return cost;
  }

  /** Adds only what the rows that moved change; the next full sum takes the rounding out again. */
  async #update(
    panels: MemberPanels,
    cost: Float32Array,
    moves: readonly PlannedMove[],
  ): Promise<Float32Array> {
    let updated = cost;
    for (const { panel, move } of moves) {
      const change = panel.change(move);
      if (change.a.length > 0) updated = await this.#add(panels, updated, change);
    }
    return updated;
  }

  /** `base + a^T b`, in whichever of the two buffers of the member is not `base`. */
  async #add(
    { buffers }: Pick<MemberPanels, "buffers">,
    base: Float32Array,
    { a, b }: Pick<Panel, "a" | "b">,
  ): Promise<Float32Array> {
    const out = base === buffers[0] ? buffers[1] : buffers[0];
    await this.#products.add(a, b, base, out);
    return out;
  }

  async #panelsOf(member: Member): Promise<MemberPanels> {
    const known = this.#panels.get(member);
    if (known !== undefined) return known;
    const units = member.symmetry.cells.length * member.symmetry.size;
    const square = () => new Float32Array(units * units);
    const buffers = [square(), square()] as const;
    let fixed: Float32Array = square();
    const moving: Panel[] = [];
    for (const occurrence of this.#occurrences.get(member) ?? []) {
      if (occurrence.entangled) continue;
      const weightOf = (weights: ReadonlyMap<string, Float32Array>) =>
        weights.get(occurrence.tensor) ?? new Float32Array();
      const panel = new Panel(occurrence, weightOf(this.#weights.a), weightOf(this.#weights.b));
      if (isFixed(occurrence)) fixed = await this.#add({ buffers }, fixed, panel);
      else moving.push(panel);
    }
    const panels = { fixed: fixed.slice(), moving, buffers, cost: undefined };
    this.#panels.set(member, panels);
    return panels;
  }
}

interface PlannedMove {
  readonly panel: Panel;
  readonly move: PanelMove;
}

function planMoves(panels: readonly Panel[], sources: PanelSources): PlannedMove[] {
  return panels.map((panel) => ({ panel, move: panel.plan(sources) }));
}

/** What the cost of a member is made of. */
interface MemberPanels {
  /** The part that no placement changes, `[units, units]`. */
  readonly fixed: Float32Array;
  readonly moving: readonly Panel[];
  /** Memory for sums, `[units, units]` each. */
  readonly buffers: readonly [Float32Array, Float32Array];
  /** The whole cost for the alignment that the panels follow; unknown when they follow different ones. */
  cost: Float32Array | undefined;
}

function isFixed({ dependsOn, coupled }: Occurrence): boolean {
  return dependsOn.size === 0 && !coupled;
}

function isUsable({ dependsOn, coupled }: Occurrence, placed: ReadonlySet<number>): boolean {
  if (coupled) return false;
  for (const block of dependsOn) if (!placed.has(block)) return false;
  return true;
}

function currentChoices(block: Block, placement: Placement): ReadonlyMap<number, Int32Array> {
  return new Map(block.members.map(({ index }) => [index, placement[index] ?? new Int32Array()]));
}

/** The unit, within its member, that takes each place of the member under some choices of the block. */
function unitsOf(block: Block, member: Member, choices: ReadonlyMap<number, Int32Array>): Int32Array {
  const chosen = choices.get(member.index) ?? new Int32Array();
  const parent = block.members.find(({ children }) => children.includes(member));
  const { size } = member.symmetry;
  if (parent === undefined) return chosen.map((choice, place) => place - (place % size) + choice);
  const units = new Int32Array(chosen.length);
  unitsOf(block, parent, choices).forEach((from, to) => {
    const cell = member.cellOfParentUnit[to] ?? 0;
    const source = member.cellOfParentUnit[from] ?? 0;
    for (let i = 0; i < size; i++) units[cell * size + i] = source * size + (chosen[cell * size + i] ?? 0);
  });
  return units;
}
