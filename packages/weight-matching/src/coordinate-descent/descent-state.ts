import type { SymmetrySpec } from "@isthmus/symmetry";
import type { BlockMatcher } from "./block-matcher.ts";
import type { PanelSources } from "./member-costs.ts";
import { identityPlacement, type Placement, type PlacementExpander } from "./placement.ts";

/** A placement on its way, and which blocks may have something to gain. */
export class DescentState {
  readonly #spec: SymmetrySpec;
  readonly #expander: PlacementExpander;
  readonly #matchers: readonly BlockMatcher[];
  /** Blocks to solve: one that they depend on has moved since they were solved. */
  readonly #open: Set<number>;
  /** Blocks to open once the open ones are done. */
  readonly #later = new Set<number>();
  #placement: Placement;

  /**
   * @param problem - the blocks and what they are blocks of
   * @param placement - where to start
   * @param open - blocks to solve first; all others are taken to be at their best
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
    this.#spec = problem.spec;
    this.#expander = problem.expander;
    this.#matchers = problem.matchers;
    this.#placement = placement;
    this.#open = new Set(open);
  }

  /** Choices now. */
  get placement(): Placement {
    return this.#placement;
  }

  /** Takes a block off the open ones; false if it was not open. */
  take(block: number): boolean {
    return this.#open.delete(block) && this.#matchers[block]?.held !== true;
  }

  /** Keeps a block closed until the others have settled. */
  postpone(block: number): void {
    this.#open.delete(block);
    this.#later.add(block);
  }

  /** Opens what was postponed; false if nothing was. */
  openNext(): boolean {
    const any = this.#later.size > 0;
    for (const block of this.#later) this.#open.add(block);
    this.#later.clear();
    return any;
  }

  /** The whole alignment, as it is and with one block in place. */
  sourcesOf(block: number): PanelSources {
    const identity = identityPlacement(this.#spec);
    const framed = this.#placement.slice();
    for (const { index } of this.#matchers[block]?.block.members ?? []) {
      framed[index] = identity[index] ?? new Int32Array();
    }
    return { current: this.#expander.expand(this.#placement), frame: this.#expander.expand(framed) };
  }

  /** The placement with some choices replaced. */
  with(choices: ReadonlyMap<number, Int32Array>): Placement {
    return this.#placement.map((own, symmetry) => choices.get(symmetry) ?? own);
  }

  /** Moves a block, and opens those that depend on it. */
  accept(block: number, choices: ReadonlyMap<number, Int32Array>): void {
    this.#placement = this.with(choices);
    for (const dependent of this.dependents(block)) this.#open.add(dependent);
    if (this.#matchers[block]?.coupled === true) this.#open.add(block);
  }

  /** Blocks whose costs depend on a block. */
  dependents(block: number): number[] {
    return [...this.#matchers.keys()].filter((other) => this.#matchers[other]?.dependsOn.has(block) === true);
  }
}
