import { at, entry } from "@isthmus/core";
import { createMatrix, multiply, svd } from "@isthmus/linear-algebra";
import {
  type Alignment,
  identityAlignment,
  type Occurrence,
  type Symmetry,
  type SymmetrySpec,
} from "@isthmus/symmetry";
import { completeFollowers } from "@isthmus/symmetry/layout";
import { solveAssignment } from "../assignment/solve-assignment.ts";
import type { Doubles, FramedPair, StreamFrame } from "./stream-frame.ts";
import { addInPlace, rowsOf } from "./weight-grams.ts";

/** A symmetry whose units carry cells that are mixed, as attention heads carry their inner dimensions. */
export interface HeadFamily {
  /** The heads. */
  readonly heads: Symmetry;
  /** Symmetries of the inner dimensions: a mixed cell for each head. */
  readonly inner: readonly Symmetry[];
  /** For each inner symmetry the index of the space of each head's cell. */
  readonly spaces: readonly Int32Array[];
}

/** Finds the symmetries whose units each carry cells that may be mixed, and no other cells. */
export function findHeads(
  { symmetries }: SymmetrySpec,
  { symmetries: { mixing } }: StreamFrame,
): HeadFamily[] {
  const spaceOf = new Map(mixing.spaces.map((space, index) => [`${space.symmetry} ${space.cell}`, index]));
  return symmetries.flatMap((heads): HeadFamily[] => {
    if (heads.cells.length !== 1) return [];
    const isHead = (unit: number) => unit >= heads.firstUnit && unit < heads.firstUnit + heads.size;
    const inner = symmetries.filter(({ cells }) => cells.some((parents) => parents.some(isHead)));
    const spaces = inner.map(({ name, cells }) => {
      const ofHead = new Int32Array(heads.size).fill(-1);
      cells.forEach((parents, cell) => {
        const [head = -1, ...others] = parents;
        const space = spaceOf.get(`${name} ${cell}`);
        if (others.length === 0 && isHead(head) && space !== undefined)
          ofHead[head - heads.firstUnit] = space;
      });
      return ofHead;
    });
    const isComplete = inner.length > 0 && spaces.every((list) => list.every((space) => space >= 0));
    return isComplete ? [{ heads, inner, spaces }] : [];
  });
}

/**
 * Finds which head of B belongs to which head of A: the assignment that maximises the sum of the nuclear
 * norms of the products of their weights, which is what the best rotation inside each pair reaches.
 *
 * @returns the alignment that moves whole heads, inner dimensions in their order
 */
export function matchHeads({ architecture, frame, a, b }: FramedPair): Alignment {
  const { spec } = architecture.symmetries;
  const source = identityAlignment(spec).source.slice();
  for (const family of findHeads(spec, frame)) {
    const { heads, inner, spaces } = family;
    const gains = new Float32Array(heads.size * heads.size);
    for (const ofHead of spaces) addGains(frame, ofHead, [a, b], gains);
    const { assignment } = solveAssignment(
      { rows: heads.size, columns: heads.size, data: gains },
      { maximize: true },
    );
    assignment.forEach((from, head) => {
      source[heads.firstUnit + head] = heads.firstUnit + from;
      inner.forEach(({ size }, k) => {
        const [to, take] = [head, from].map((which) => {
          const space = at(at(spaces, k, "inner symmetry"), which, "head");
          return at(frame.symmetries.mixing.spaces, space, "space").firstUnit;
        });
        for (let i = 0; i < size; i++) source[(to as number) + i] = (take as number) + i;
      });
    });
  }
  return completeFollowers(spec, source);
}

/** Adds the nuclear norm of the products of each pair of heads, `[heads of A, heads of B]`. */
function addGains(
  frame: StreamFrame,
  ofHead: Int32Array,
  networks: readonly [Doubles, Doubles],
  gains: Float32Array,
): void {
  const heads = ofHead.length;
  for (let one = 0; one < heads; one++) {
    for (let two = 0; two < heads; two++) {
      const pair = [ofHead[one] as number, ofHead[two] as number] as const;
      const index = one * heads + two;
      gains[index] = (gains[index] as number) + nuclearNorm(frame, pair, networks);
    }
  }
}

function nuclearNorm(
  frame: StreamFrame,
  [one, two]: readonly [number, number],
  [a, b]: readonly [Doubles, Doubles],
): number {
  const { size } = at(frame.symmetries.mixing.spaces, one, "space");
  const gram = new Float64Array(size * size);
  for (const [name, occurrences] of frame.occurrences) {
    const left = occurrences.filter(({ space }) => space === one);
    const right = occurrences.filter(({ space }) => space === two);
    left.forEach((occurrence: Occurrence, k) => {
      const other = at(right, k, "occurrence");
      const rows = rowsOf(entry(a, name, "weight"), occurrence);
      const others = rowsOf(entry(b, name, "weight"), other);
      addInPlace(gram, multiply(rows, others, { transposeRight: true }).data);
    });
  }
  const { values } = svd(createMatrix(size, size, gram));
  return values.reduce((sum, value) => sum + value, 0);
}
