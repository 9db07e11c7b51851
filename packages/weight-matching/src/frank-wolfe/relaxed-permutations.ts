import { dot } from "@isthmus/core";
import { type BlockMatcher, unitsOf } from "../coordinate-descent/block-matcher.ts";
import type { Placement } from "../coordinate-descent/placement.ts";
import type { Member } from "../coordinate-descent/unit-tree.ts";
import { blendInPlace } from "./kernels/blend.ts";

/** A convex combination of placements of one symmetry, with the gradient of the objective there. */
interface RelaxedMember {
  readonly member: Member;
  /** Weight of having each unit in each place, `[units, units]`. */
  readonly permutation: Float32Array;
  /** Gradient of the objective by `permutation`, `[units, units]`. */
  readonly gradient: Float32Array;
  /** Gradient at the vertex that is looked at, `[units, units]`. */
  readonly vertexGradient: Float32Array;
  /** The vertex that is looked at: the unit in each place, `[units]`. */
  vertex: Int32Array;
}

/**
 * The permutations of one block, relaxed.
 *
 * For a nested symmetry the matrix is over the units of all its cells. The convex hull of nested permutations is exactly the matrices
 * whose block for a pair of parent units is doubly stochastic times the weight of that pair, so members of a block are relaxed
 * together and the best vertex is the exact solution of the block.
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

  /** Looks at a vertex. */
  face(placement: Placement): void {
    const { block } = this.matcher;
    const choices = new Map(block.members.map(({ index }) => [index, placement[index] ?? new Int32Array()]));
    for (const own of this.#members) own.vertex = unitsOf(block, own.member, choices);
  }

  /** Notes the gradient at the vertex. */
  note(costs: ReadonlyMap<Member, Float32Array>): void {
    for (const { member, vertexGradient } of this.#members) {
      vertexGradient.set(costs.get(member) ?? new Float32Array());
    }
  }

  /** The placement of the block that rises most along the gradient. */
  steepest(current: Placement): Map<number, Int32Array> {
    return this.matcher.solve(new Map(this.#members.map((own) => [own.member, own.gradient])), current);
  }

  /** The placement closest to the relaxed one. */
  round(current: Placement): Map<number, Int32Array> {
    return this.matcher.solve(new Map(this.#members.map((own) => [own.member, own.permutation])), current);
  }

  /** Slope of the objective towards the vertex. */
  slope(): number {
    return this.#sum(
      ({ gradient, permutation, vertex }) => valueAt(gradient, vertex) - innerProduct(gradient, permutation),
    );
  }

  /** Slope of the objective at the vertex, in the same direction. */
  vertexSlope(): number {
    return this.#sum(
      ({ vertexGradient, permutation, vertex }) =>
        valueAt(vertexGradient, vertex) - innerProduct(vertexGradient, permutation),
    );
  }

  /** Value of the vertex under the gradient, in absolute numbers. */
  scale(): number {
    return this.#sum(({ gradient, vertex }) => Math.abs(valueAt(gradient, vertex)));
  }

  /** Moves a share `t` in `[0, 1]` of the way to the vertex; the gradient is linear, so it goes the same way. */
  step(t: number): void {
    for (const { permutation, gradient, vertexGradient, vertex } of this.#members) {
      blendInPlace(gradient, vertexGradient, t);
      const units = vertex.length;
      for (let i = 0; i < permutation.length; i++) permutation[i] = (permutation[i] ?? 0) * (1 - t);
      vertex.forEach((unit, place) => {
        permutation[place * units + unit] = (permutation[place * units + unit] ?? 0) + t;
      });
    }
  }

  #sum(of: (own: RelaxedMember) => number): number {
    return this.#members.reduce((sum, own) => sum + of(own), 0);
  }
}

function valueAt(matrix: Float32Array, vertex: Int32Array): number {
  let sum = 0;
  vertex.forEach((unit, place) => {
    sum += matrix[place * vertex.length + unit] ?? 0;
  });
  return sum;
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  return dot({ dtype: "f32", data: a }, { dtype: "f32", data: b });
}
