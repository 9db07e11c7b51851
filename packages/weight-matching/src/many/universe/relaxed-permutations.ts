import { at } from "@isthmus/core";
import { type BlockMatcher, unitsOf } from "../../coordinate-descent/block-matcher.ts";
import type { Placement } from "../../coordinate-descent/placement.ts";
import { scaleInPlace } from "../../frank-wolfe/kernels/blend.ts";

/** How much each unit of a block has each place, as a convex combination of placements. */
export class RelaxedPermutations {
  readonly #matcher: BlockMatcher;
  /** For each member, `[units, units]`. */
  readonly #weights: readonly Float32Array[];

  constructor(matcher: BlockMatcher) {
    this.#matcher = matcher;
    this.#weights = matcher.block.members.map(
      ({ symmetry }) => new Float32Array((symmetry.cells.length * symmetry.size) ** 2),
    );
  }

  /** Takes a step of `t` in `[0, 1]` towards a placement. */
  step(placement: Placement, t: number): void {
    const { block } = this.#matcher;
    const choices = new Map(block.members.map(({ index }) => [index, at(placement, index, "symmetry")]));
    for (const [k, member] of block.members.entries()) {
      const weights = at(this.#weights, k, "member");
      scaleInPlace(weights, 1 - t);
      const units = unitsOf(block, member, choices);
      units.forEach((unit, place) => {
        const i = place * units.length + unit;
        weights[i] = at(weights, i, "weight") + t;
      });
    }
  }

  /** Finds the closest placement; what may not move stays as in `current`. */
  round(current: Placement): Map<number, Int32Array> {
    const members = this.#matcher.block.members.map(
      (member, k) => [member, at(this.#weights, k, "member")] as const,
    );
    return this.#matcher.solve(new Map(members), current);
  }
}
