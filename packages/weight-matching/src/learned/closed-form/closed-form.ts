import { at } from "@isthmus/core";
import { type Alignment, compose, type MixingSpace, type Mixture } from "@isthmus/symmetry";
import { compositionOf } from "../matrices/compose-mixtures.ts";
import { nearestMatrix } from "../matrices/nearest-matrix.ts";
import { identityMatrix } from "../matrices/square-matrices.ts";
import { permuteFramed } from "../permute-framed.ts";
import { type Doubles, type FramedPair, mixed, type StreamFrame } from "../stream-frame.ts";
import { multiplied, type UnitFactors } from "../unit-factors.ts";
import { balanceSpaces } from "./balance-spaces.ts";
import { leveled, matchedFactors } from "./level-scales.ts";
import { matchHeads } from "./match-heads.ts";
import { type MatchUnitsOptions, matchUnits } from "./match-units.ts";
import { weightGrams } from "./weight-grams.ts";

/**
 * Steps that bring network B to network A: its units are permuted first, then multiplied, then its spaces
 * mixed.
 */
export interface AlignedSpaces {
  /** Permutation of B's units, the first step. */
  readonly alignment: Alignment;
  /** Signs and scales that multiply the permuted units, the second step. */
  readonly factors: UnitFactors;
  /** Matrix of each space and its inverse, the third step. */
  readonly mixture: Mixture;
  /** B in the frame, permuted and multiplied, not yet mixed. */
  readonly placed: Doubles;
}

/**
 * Aligns B to A without a gradient: the residual streams by activations, then heads, and after them other
 * units, by weights in the frame of the stream; each by one assignment or one polar factor.
 *
 * The order matters: heads that are rotated first fit noise so well that the stream is not turned any more.
 * @param grams - products of activations by which streams are aligned, as `streamGrams` returns them; without
 *   them streams are aligned by weights
 */
export async function alignInClosedForm(
  pair: FramedPair,
  grams: readonly Float64Array[] | undefined,
  options: MatchUnitsOptions,
): Promise<AlignedSpaces> {
  const { architecture, frame, a, b } = pair;
  const { spaces } = frame.symmetries.mixing;
  const isStream = streamsOf(frame);
  // Between balanced networks only a rotation remains to be found inside a head.
  const ofA = balanceSpaces(frame, a);
  const level = mixed(frame, a, ofA);
  const products = grams ?? weightGrams(frame, [level, mixed(frame, b, balanceSpaces(frame, b))]);
  const streams = await nearest(spaces, products, isStream);
  const turned = mixed(frame, b, compositionOf(spaces, streams, balanceSpaces(frame, b)));
  const heads = matchHeads({ ...pair, a: level, b: turned });
  const withHeads = await permuteFramed(architecture, heads, turned);
  const [one, two] = [await leveled(pair, level), await leveled(pair, withHeads)];
  const units = await matchUnits({ ...pair, a: one, b: two }, options);
  const alignment = compose(units.alignment, heads);
  const factors = await matchedFactors(pair, b, { alignment, signs: units.signs });
  const placed = multiplied(frame.units, await permuteFramed(architecture, alignment, b), factors);
  const start = compositionOf(spaces, streams, balanceSpaces(frame, placed));
  const inPlace = weightGrams(frame, [level, mixed(frame, placed, start)]);
  const inner = await nearest(spaces, inPlace, (index) => !isStream(index));
  // The inverse of a symmetric matrix is its inverse, transposed.
  const unbalance = { matrices: ofA.inverses, inverses: ofA.matrices };
  const mixture = compositionOf(spaces, unbalance, compositionOf(spaces, inner, start));
  return { alignment, factors, mixture, placed };
}

/** Creates a function that checks whether a space is a residual stream. */
export function streamsOf({ symmetries: { mixing } }: StreamFrame): (space: number) => boolean {
  const streams = new Set(mixing.norms.map(({ space }) => space));
  return (space) => streams.has(space);
}

/** Finds the nearest matrices of the grams of chosen spaces; the others get the identity. */
export async function nearest(
  spaces: readonly MixingSpace[],
  grams: readonly Float64Array[],
  isChosen: (index: number) => boolean,
): Promise<Mixture> {
  const matrices: Float64Array[] = [];
  for (const [index, { size, group }] of spaces.entries()) {
    matrices.push(
      isChosen(index) ? await nearestMatrix(at(grams, index, "space"), size, group) : identityMatrix(size),
    );
  }
  return { matrices, inverses: matrices };
}
