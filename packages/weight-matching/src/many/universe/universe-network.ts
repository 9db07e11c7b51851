import { entry } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import type { BlockMatcher, Proposal } from "../../coordinate-descent/block-matcher.ts";
import {
  identityPlacement,
  type Placement,
  type PlacementExpander,
} from "../../coordinate-descent/placement.ts";
import type { ComponentMaps } from "./parted-weight.ts";
import type { RelaxedCosts } from "./relaxed-costs.ts";
import { RelaxedPermutations } from "./relaxed-permutations.ts";
import type { RelaxedWeight } from "./relaxed-weight.ts";

/** Tools that all networks of a universe share. */
export interface UniverseTools {
  /** Specification of the networks, whose symmetries are placed. */
  readonly spec: SymmetrySpec;
  /** Expander of placements to the source of every unit. */
  readonly expander: PlacementExpander;
}

/** A block that the universe moves, and its costs in one network. */
export interface NetworkBlock {
  /** Matcher of the block with the costs of this network. */
  readonly matcher: BlockMatcher;
  /** Costs that the matcher assigns by. */
  readonly costs: RelaxedCosts;
}

/** One network of a universe: its weights, and the placement of its units. */
export class UniverseNetwork {
  readonly weights: ReadonlyMap<string, RelaxedWeight>;
  /** Matchers, one for each block that the universe moves. */
  readonly matchers: readonly BlockMatcher[];
  readonly #tools: UniverseTools;
  readonly #costs: readonly RelaxedCosts[];
  readonly #permutations: readonly RelaxedPermutations[];
  #placement: Placement;
  /** The placement that the next step leads to. */
  #target: Placement;

  constructor(
    weights: ReadonlyMap<string, RelaxedWeight>,
    blocks: readonly NetworkBlock[],
    tools: UniverseTools,
  ) {
    this.weights = weights;
    this.matchers = blocks.map(({ matcher }) => matcher);
    this.#costs = blocks.map(({ costs }) => costs);
    this.#tools = tools;
    this.#permutations = this.matchers.map((matcher) => new RelaxedPermutations(matcher));
    this.#placement = identityPlacement(tools.spec);
    this.#target = this.#placement;
  }

  /** Placement that the network was last put in. */
  get placement(): Placement {
    return this.#placement;
  }

  /**
   * Puts all units in their places, or only the units of some weights, by name, which have moved.
   * @param placeWeight - how a weight is put there
   */
  place(
    placement: Placement,
    only: Iterable<string> = this.weights.keys(),
    placeWeight: (relaxed: RelaxedWeight, maps: ComponentMaps) => void = placeAlone,
  ): void {
    this.#placement = placement;
    const source = this.#tools.expander.expand(placement);
    for (const name of only) {
      const relaxed = this.weights.get(name);
      if (relaxed !== undefined) placeWeight(relaxed, relaxed.weight.mapsOf(source));
    }
  }

  /** Begins to keep costs and to add only their changes, as from now on only placements change. */
  followCosts(): void {
    for (const costs of this.#costs) costs.follow();
  }

  /** Returns the placement with some choices replaced. */
  with(choices: ReadonlyMap<number, Int32Array>): Placement {
    return this.#placement.map((unchanged, symmetry) => choices.get(symmetry) ?? unchanged);
  }

  /** Proposes new places for the units of a block, from the present costs. */
  propose(matcher: BlockMatcher): Promise<Proposal> {
    return matcher.propose(NOWHERE, this.#placement);
  }

  /** Finds the placement for which the objective rises most from the relaxed one. */
  async steepest(): Promise<Placement> {
    const choices = new Map<number, Int32Array>();
    for (const matcher of this.matchers) {
      const costs = await matcher.costsAt(NOWHERE);
      for (const [symmetry, chosen] of matcher.solve(costs, this.#placement)) choices.set(symmetry, chosen);
    }
    return this.with(choices);
  }

  /** Turns to a placement: the next step leads towards it. */
  face(placement: Placement): void {
    this.#target = placement;
    const source = this.#tools.expander.expand(placement);
    for (const relaxed of this.weights.values()) relaxed.face(relaxed.weight.mapsOf(source));
  }

  /** Takes a step of `t` in `[0, 1]` towards the placement that it faces. */
  step(t: number): void {
    for (const relaxed of this.weights.values()) relaxed.step(t);
    for (const permutations of this.#permutations) permutations.step(this.#target, t);
  }

  /** Finds the placement closest to the relaxed one. */
  rounded(): Placement {
    const choices = new Map<number, Int32Array>();
    for (const permutations of this.#permutations) {
      for (const [symmetry, chosen] of permutations.round(this.#placement)) choices.set(symmetry, chosen);
    }
    return this.with(choices);
  }

  /** Returns a weight of the network. */
  weight(name: string): RelaxedWeight {
    return entry(this.weights, name, "weight");
  }
}

function placeAlone(relaxed: RelaxedWeight, maps: ComponentMaps): void {
  relaxed.place(maps);
}

/**
 * Alignment that is passed to costs, which ignore it: in a universe they are computed from the state of its
 * networks.
 */
const NOWHERE = { current: new Int32Array(), frame: new Int32Array() };
