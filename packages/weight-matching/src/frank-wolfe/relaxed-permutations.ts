import { at, entry, innerProduct } from "@isthmus/core";
import { type BlockMatcher, unitsOf } from "../coordinate-descent/block-matcher.ts";
import type { Placement } from "../coordinate-descent/placement.ts";
import type { Member } from "../coordinate-descent/unit-tree.ts";
import { blendInPlace, scaleInPlace } from "./kernels/blend.ts";

/** A convex combination of placements of one symmetry, with the gradient of the objective there. */
interface RelaxedMember {
  readonly member: Member;
  /** Weight of having each unit in each place, `[units, units]`. */
  readonly permutation: Float32Array;
  /** Gradient of the objective by `permutation`, `[units, units]`. */
  readonly gradient: Float32Array;
  /** Gradient at the present vertex, `[units, units]`. */
  readonly vertexGradient: Float32Array;
  /** The present vertex: the unit in each place, `[units]`. */
  vertex: Int32Array;
}

/**
 * The permutations of one block, relaxed.
 *
 * For a nested symmetry the matrix is over the units of all its cells. The convex hull of nested permutations
 * is exactly the matrices whose block for a pair of parent units is doubly stochastic times the weight of
 * that pair, so members of a block are relaxed together and the best vertex is the exact solution of the
 * block.
 */
export class RelaxedBlock {
  readonly matcher: BlockMatcher;
  readonly #members: readonly RelaxedMember[];

  constructor(matcher: BlockMatcher) {
    this.matcher = matcher;
    this.#members = matcher.block.members.map((member) => {
      const units = member.symmetry.cells.length * member.symmetry.size;
      const square = () => new Float32Array(units * units);
      return {
        member,
        permutation: square(),
        gradient: square(),
        vertexGradient: square(),
        vertex: new Int32Array(units),
      };
    });
  }

  /** Sets the present vertex. */
  face(placement: Placement): void {
    const { block } = this.matcher;
    const choices = new Map(block.members.map(({ index }) => [index, at(placement, index, "symmetry")]));
    for (const relaxed of this.#members) relaxed.vertex = unitsOf(block, relaxed.member, choices);
  }

  /** Sets the gradient at the present vertex. */
  note(costs: ReadonlyMap<Member, Float32Array>): void {
    for (const { member, vertexGradient } of this.#members) {
      vertexGradient.set(entry(costs, member, "member"));
    }
  }

  /** Finds the placement of the block for which the objective rises most along the gradient. */
  steepest(current: Placement): Map<number, Int32Array> {
    return this.matcher.solve(
      new Map(this.#members.map(({ member, gradient }) => [member, gradient])),
      current,
    );
  }

  /** Finds the placement closest to the relaxed one. */
  round(current: Placement): Map<number, Int32Array> {
    return this.matcher.solve(
      new Map(this.#members.map(({ member, permutation }) => [member, permutation])),
      current,
    );
  }

  /** Computes the slope of the objective towards the vertex. */
  slope(): number {
    return this.#sum(
      ({ gradient, permutation, vertex }) => valueAt(gradient, vertex) - innerProduct(gradient, permutation),
    );
  }

  /** Computes the slope of the objective at the vertex, in the same direction. */
  vertexSlope(): number {
    return this.#sum(
      ({ vertexGradient, permutation, vertex }) =>
        valueAt(vertexGradient, vertex) - innerProduct(vertexGradient, permutation),
    );
  }

  /** Computes the absolute value of the vertex under the gradient. */
  scale(): number {
    return this.#sum(({ gradient, vertex }) => Math.abs(valueAt(gradient, vertex)));
  }

  /**
   * Moves a share `t` in `[0, 1]` of the way to the vertex; the gradient is linear, so it moves by the same
   * share.
   */
  step(t: number): void {
    for (const { permutation, gradient, vertexGradient, vertex } of this.#members) {
      blendInPlace(gradient, vertexGradient, t);
      const units = vertex.length;
      scaleInPlace(permutation, 1 - t);
      vertex.forEach((unit, place) => {
        permutation[place * units + unit] = at(permutation, place * units + unit, "weight") + t;
      });
    }
  }

  #sum(of: (relaxed: RelaxedMember) => number): number {
    return this.#members.reduce((sum, relaxed) => sum + of(relaxed), 0);
  }
}

function valueAt(matrix: Float32Array, vertex: Int32Array): number {
  let sum = 0;
  vertex.forEach((unit, place) => {
    sum += at(matrix, place * vertex.length + unit, "weight");
  });
  return sum;
}
