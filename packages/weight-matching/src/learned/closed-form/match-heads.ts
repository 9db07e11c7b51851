import { at, entry, sumOf } from "@isthmus/core";
import { createMatrix, multiply, svd } from "@isthmus/linear-algebra";
import { type Alignment, identityAlignment } from "@isthmus/symmetry";
import { completeFollowers } from "@isthmus/symmetry/layout";
import { complexOf, isComplex } from "../matrices/complex-numbers.ts";
import type { Doubles, FramedPair, StreamFrame } from "../stream-frame.ts";
import { bestAssignment, findHeads, placeHeadsInto } from "./head-families.ts";
import { matchHeadGroups } from "./match-head-groups.ts";
import { rowsBySpace, type SpaceRows } from "./space-rows.ts";
import { addInPlace, rowsOf } from "./weight-grams.ts";

/**
 * Finds which head of B belongs to which head of A: the assignment that maximises the sum of the nuclear
 * norms of the products of their weights, which the best rotation inside each pair of heads reaches; for
 * pairs that a rotary embedding turns, twice the length of their complex product counts instead.
 *
 * @returns the alignment that moves whole heads, inner dimensions in their order
 */
export function matchHeads({ architecture, frame, a, b }: FramedPair): Alignment {
  const { spec } = architecture.symmetries;
  const source = identityAlignment(spec).source.slice();
  const rows = rowsBySpace(frame);
  for (const family of findHeads(spec, frame)) {
    const { heads, spaces, pairs, queries } = family;
    if (queries !== undefined) {
      const { from, queriesFrom } = matchHeadGroups(spec, frame, [a, b], { ...family, queries });
      placeHeadsInto(family, from, queriesFrom, source);
      continue;
    }
    if (heads === undefined) continue;
    const gains = new Float32Array(heads.size * heads.size);
    for (const ofHead of [...spaces, ...pairs]) addGains({ frame, rows }, ofHead, [a, b], gains);
    placeHeadsInto(family, bestAssignment(gains, heads.size), [], source);
  }
  return completeFollowers(spec, source);
}

/** A frame, and the rows in which each of its spaces lies. */
interface IndexedFrame {
  readonly frame: StreamFrame;
  readonly rows: readonly (readonly SpaceRows[])[];
}

/** Adds the gain of the best mixture of a space for each pair of heads, `[heads of A, heads of B]`. */
function addGains(
  indexed: IndexedFrame,
  ofHead: Int32Array,
  networks: readonly [Doubles, Doubles],
  gains: Float32Array,
): void {
  const heads = ofHead.length;
  for (let one = 0; one < heads; one++) {
    for (let two = 0; two < heads; two++) {
      const pair = [ofHead[one] as number, ofHead[two] as number] as const;
      const index = one * heads + two;
      gains[index] = (gains[index] as number) + bestProduct(indexed, pair, networks);
    }
  }
}

function bestProduct(
  { frame, rows }: IndexedFrame,
  [one, two]: readonly [number, number],
  [a, b]: readonly [Doubles, Doubles],
): number {
  const { size, group } = at(frame.symmetries.mixing.spaces, one, "space");
  const gram = new Float64Array(size * size);
  const others = at(rows, two, "space");
  at(rows, one, "space").forEach(({ weight, occurrence }, k) => {
    const other = at(others, k, "occurrence");
    const left = rowsOf(entry(a, weight, "weight"), occurrence);
    const right = rowsOf(entry(b, other.weight, "weight"), other.occurrence);
    addInPlace(gram, multiply(left, right, { transposeRight: true }).data);
  });
  if (isComplex(group)) {
    const { re, im } = complexOf(gram);
    return 2 * Math.hypot(re, im);
  }
  const { values } = svd(createMatrix(size, size, gram));
  return sumOf(values);
}
