import { at, entry } from "@isthmus/core";
import { createMatrix, multiply, svd } from "@isthmus/linear-algebra";
import { type Alignment, identityAlignment, type Occurrence } from "@isthmus/symmetry";
import { completeFollowers } from "@isthmus/symmetry/layout";
import { bestAssignment, findHeads, placeHeadsInto } from "./head-families.ts";
import { matchHeadGroups } from "./match-head-groups.ts";
import type { Doubles, FramedPair, StreamFrame } from "./stream-frame.ts";
import { addInPlace, rowsOf } from "./weight-grams.ts";

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
    const { heads, spaces, queries } = family;
    if (queries !== undefined) {
      const { from, queriesFrom } = matchHeadGroups(spec, frame, [a, b], { ...family, queries });
      placeHeadsInto(family, from, queriesFrom, source);
      continue;
    }
    const gains = new Float32Array(heads.size * heads.size);
    for (const ofHead of spaces) addGains(frame, ofHead, [a, b], gains);
    placeHeadsInto(family, bestAssignment(gains, heads.size), [], source);
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
