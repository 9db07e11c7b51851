import { at, type Checkpoint, entry } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { createAssignmentSolver } from "../../assignment/create-assignment-solver.ts";
import { BlockMatcher, type MatcherTools } from "../../coordinate-descent/block-matcher.ts";
import {
  findOccurrences,
  type MemberOccurrences,
  type Occurrence,
} from "../../coordinate-descent/occurrences.ts";
import { createPlacementExpander } from "../../coordinate-descent/placement.ts";
import { createUnitTree } from "../../coordinate-descent/unit-tree.ts";
import { findRelaxable } from "../../frank-wolfe/relaxable.ts";
import { ComponentMoves } from "./component-moves.ts";
import type { PanelSums } from "./panel-sums.ts";
import { type PanelTables, PartedWeight } from "./parted-weight.ts";
import { RelaxedCosts } from "./relaxed-costs.ts";
import { RelaxedWeight } from "./relaxed-weight.ts";
import { SummedWeight } from "./summed-weight.ts";
import { UniverseNetwork } from "./universe-network.ts";

/** Options of {@link Universe}. */
export interface UniverseOptions {
  /** Specification of the networks, whose symmetries and weights the universe holds. */
  readonly spec: SymmetrySpec;
  /** Indices of symmetries that are not moved. */
  readonly held: ReadonlySet<number>;
  /** Port that sums the products of panels. */
  readonly sums: PanelSums;
}

/**
 * Common coordinates of several networks: a placement of every network's units, and the sum of the networks
 * in these placements.
 *
 * The sum over all pairs of networks of the inner products of their weights is half of the squared norm of
 * that sum, less a constant. So bringing all pairs as close as possible is making the sum as long as
 * possible, and the best placement of one network is the one that matches it to the sum of the others.
 */
export class Universe {
  readonly networks: readonly UniverseNetwork[];
  /** Names of the weights that it holds. */
  readonly names: readonly string[];
  /**
   * Whether the universe holds every block and every weight. Left out are axes whose positions move with
   * units of several blocks at once, and weights on which more than two axes move.
   */
  readonly isWhole: boolean;
  /** The sum of all networks but the one whose costs are computed now, by weight. */
  readonly #others: ReadonlyMap<string, Float32Array>;
  /** The sum of all networks, by weight. */
  readonly #sums: ReadonlyMap<string, SummedWeight>;
  readonly #moves: ComponentMoves;

  private constructor(
    networks: readonly UniverseNetwork[],
    others: ReadonlyMap<string, Float32Array>,
    {
      weights,
      isWhole,
      moves,
    }: Pick<UniversePlan, "weights" | "isWhole"> & { readonly moves: ComponentMoves },
  ) {
    this.networks = networks;
    this.names = [...others.keys()];
    this.isWhole = isWhole;
    this.#others = others;
    this.#sums = new Map(
      [...weights].map(([name, weight]) => [
        name,
        new SummedWeight(
          weight,
          networks.map((network) => network.weight(name)),
        ),
      ]),
    );
    this.#moves = moves;
  }

  /**
   * Reads networks into a universe, with all units in their original places.
   * @param networks - their parameters as f32
   */
  static async open(networks: readonly Checkpoint[], options: UniverseOptions): Promise<Universe> {
    const plan = planUniverse(options);
    const others = new Map<string, Float32Array>();
    const members: UniverseNetwork[] = [];
    const moves = new ComponentMoves();
    const tools = { sums: options.sums, tables: plan.tables, spare: new Map(), moves };
    for (const network of networks) {
      const weights = new Map<string, RelaxedWeight>();
      for (const [name, weight] of plan.weights) {
        const values = weight.layOut((await network.read(name)).data as Float32Array);
        weights.set(name, new RelaxedWeight(weight, values));
        if (!others.has(name)) others.set(name, new Float32Array(values.length));
      }
      const blocks = plan.blocks.map(({ block, occurrences }) => {
        const costs = new RelaxedCosts(occurrences, { others, weights }, tools);
        return { matcher: new BlockMatcher(block, occurrences, { ...plan.tools, costs }), costs };
      });
      members.push(new UniverseNetwork(weights, blocks, { spec: options.spec, expander: plan.expander }));
    }
    return new Universe(members, others, { ...plan, moves });
  }

  /** Returns the sum of all networks of a weight. */
  sumOf(name: string): SummedWeight {
    return entry(this.#sums, name, "weight");
  }

  /** Sums the images of all networks, after all of them have moved. */
  sumImages(): void {
    for (const sum of this.#sums.values()) sum.refresh();
  }

  /** Takes a step of `t` in `[0, 1]` with all networks; its sums must have been measured. */
  step(t: number): void {
    for (const network of this.networks) network.step(t);
    for (const sum of this.#sums.values()) sum.step(t);
  }

  /** Turns to a network, whose costs may then be computed: finds the sum of the others. */
  turnTo(network: UniverseNetwork, names: Iterable<string> = this.names): void {
    for (const name of names) {
      const others = this.#others.get(name);
      if (others !== undefined) this.sumOf(name).othersInto(network.weight(name), others);
    }
  }

  /** Moves the units of a block of one network. */
  move(network: UniverseNetwork, matcher: BlockMatcher, choices: ReadonlyMap<number, Int32Array>): void {
    network.place(network.with(choices), matcher.tensors, (relaxed, maps) => {
      this.#moves.note(relaxed.weight, this.sumOf(relaxed.weight.name).place(relaxed, maps));
    });
  }

  /** Returns the sum of all networks but the one that was last turned to. */
  others(name: string): Float32Array {
    return entry(this.#others, name, "weight");
  }
}

interface UniversePlan {
  readonly weights: ReadonlyMap<string, PartedWeight>;
  readonly tables: ReadonlyMap<Occurrence, PanelTables>;
  readonly blocks: readonly {
    readonly block: BlockMatcher["block"];
    readonly occurrences: MemberOccurrences;
  }[];
  readonly expander: ReturnType<typeof createPlacementExpander>;
  readonly tools: Omit<MatcherTools, "costs">;
  readonly isWhole: boolean;
}

/** Finds what a universe can hold of a specification, and prepares what all networks share. */
function planUniverse({ spec, held }: UniverseOptions): UniversePlan {
  const tree = createUnitTree(spec);
  const expander = createPlacementExpander(spec);
  const largest = Math.max(0, ...spec.symmetries.map(({ size }, index) => (held.has(index) ? 0 : size)));
  const tools = {
    solver: createAssignmentSolver(largest, largest),
    isHeld: (symmetry: number) => held.has(symmetry),
  };
  const all = tree.blocks.map((block) => ({ block, occurrences: findOccurrences(tree, block, expander) }));
  const probes = all.map(
    ({ block, occurrences }) => new BlockMatcher(block, occurrences, { ...tools, costs: NO_COSTS }),
  );
  const relaxable = findRelaxable(tree, probes);
  const weights = new Map<string, PartedWeight>();
  const tables = new Map<Occurrence, PanelTables>();
  for (const { occurrences } of all) {
    for (const occurrence of [...occurrences.values()].flat()) {
      if (relaxable.usable?.(occurrence) === false) continue;
      const { tensor, layout } = occurrence;
      const weight = weights.get(tensor) ?? new PartedWeight(tensor, layout);
      weights.set(tensor, weight);
      tables.set(occurrence, weight.tablesOf(occurrence));
    }
  }
  const movable = probes.filter((probe) => !probe.held).length;
  return {
    weights,
    tables,
    blocks: relaxable.blocks.map((index) => at(all, index, "block")),
    expander,
    tools,
    isWhole: relaxable.usable === undefined && relaxable.blocks.length === movable,
  };
}

/** Placeholder for costs, as only the structure of blocks is looked at. */
const NO_COSTS = {
  costOf: () => Promise.resolve(new Float32Array()),
};
