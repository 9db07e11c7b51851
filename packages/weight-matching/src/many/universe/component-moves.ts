import { at } from "@isthmus/core";
import type { LayoutComponent } from "@isthmus/symmetry/layout";
import type { PartedWeight } from "./parted-weight.ts";

/**
 * Counter of the moves of weights, which knows the positions of their components that moves touched in any
 * network.
 */
export class ComponentMoves {
  #count = 0;
  /** Number of the last move that touched each position. */
  readonly #last = new Map<LayoutComponent, Int32Array>();

  /** Number of moves so far. */
  get count(): number {
    return this.#count;
  }

  /** Notes that some positions of each component of a weight come from elsewhere now. */
  note({ components, sizes }: PartedWeight, positions: readonly Int32Array[]): void {
    this.#count++;
    for (const [k, component] of components.entries()) {
      const last = this.#last.get(component) ?? new Int32Array(at(sizes, k, "component"));
      this.#last.set(component, last);
      for (const position of at(positions, k, "component")) last[position] = this.#count;
    }
  }

  /** Returns a test of positions of a component: whether a move after some others has touched them. */
  since(count: number, component: LayoutComponent): (position: number) => boolean {
    const last = this.#last.get(component);
    return last === undefined ? () => false : (position) => at(last, position, "position") > count;
  }
}
