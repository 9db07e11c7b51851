import { at } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import type { BlockMatcher } from "./block-matcher.ts";
import type { PanelSources } from "./member-costs.ts";
import { identityPlacement, type Placement, type PlacementExpander } from "./placement.ts";

/** A placement during a search, and the blocks that may improve it. */
export class DescentState {
  readonly #expander: PlacementExpander;
  readonly #matchers: readonly BlockMatcher[];
  /** Blocks to solve: one that they depend on has moved since they were solved. */
  readonly #open: Set<number>;
  /** Blocks to open once the open ones are done. */
  readonly #later = new Set<number>();
  readonly #identity: Placement;
  #placement: Placement;
  /** Present alignment, if it was expanded since a block moved. */
  #current: Int32Array | undefined;

  /**
   * @param problem - the blocks and their specification
   * @param placement - the placement to start from
   * @param open - blocks to solve first; all others count as solved
   */
  constructor(
    problem: {
      readonly spec: SymmetrySpec;
      readonly expander: PlacementExpander;
      readonly matchers: readonly BlockMatcher[];
    },
    placement: Placement,
    open: Iterable<number>,
  ) {
    this.#expander = problem.expander;
    this.#matchers = problem.matchers;
    this.#identity = identityPlacement(problem.spec);
    this.#placement = placement;
    this.#open = new Set(open);
  }

  /** The present choices. */
  get placement(): Placement {
    return this.#placement;
  }

  /** Removes a block from the open ones; returns false if it was not open or may not move. */
  take(block: number): boolean {
    return this.#open.delete(block) && !at(this.#matchers, block, "block").held;
  }

  /** Closes a block until the others have settled. */
  postpone(block: number): void {
    this.#open.delete(block);
    this.#later.add(block);
  }

  /** Opens the postponed blocks; returns false if there are none. */
  openNext(): boolean {
    const any = this.#later.size > 0;
    for (const block of this.#later) this.#open.add(block);
    this.#later.clear();
    return any;
  }

  /** Returns the whole alignment, at present and with the units of one block in their original places. */
  sourcesOf(block: number): PanelSources {
    const framed = this.#placement.slice();
    for (const { index } of at(this.#matchers, block, "block").block.members) {
      framed[index] = at(this.#identity, index, "symmetry");
    }
    this.#current ??= this.#expander.expand(this.#placement);
    return { current: this.#current, frame: this.#expander.expand(framed) };
  }

  /** Returns the placement with some choices replaced. */
  with(choices: ReadonlyMap<number, Int32Array>): Placement {
    return this.#placement.map((unchanged, symmetry) => choices.get(symmetry) ?? unchanged);
  }

  /** Moves a block, and opens the blocks that depend on it. */
  accept(block: number, choices: ReadonlyMap<number, Int32Array>): void {
    this.#placement = this.with(choices);
    this.#current = undefined;
    for (const dependent of this.dependents(block)) this.#open.add(dependent);
    if (at(this.#matchers, block, "block").coupled) this.#open.add(block);
  }

  /** Lists the blocks whose costs depend on a block. */
  dependents(block: number): number[] {
    return [...this.#matchers.entries()].flatMap(([other, { dependsOn }]) =>
      dependsOn.has(block) ? [other] : [],
    );
  }
}
