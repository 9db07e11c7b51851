import { at } from "@isthmus/core";
import { compose } from "@isthmus/symmetry";
import { compositionOf } from "../matrices/compose-mixtures.ts";
import { permuteFramed } from "../permute-framed.ts";
import { type Doubles, type FramedPair, mixed, type StreamFrame } from "../stream-frame.ts";
import { multiplied } from "../unit-factors.ts";
import { type AlignedSpaces, nearest, streamsOf } from "./closed-form.ts";
import { matchedFactors } from "./level-scales.ts";
import { matchUnits } from "./match-units.ts";
import { weightGrams } from "./weight-grams.ts";

/** Options of {@link descendSpaces}. */
export interface DescendSpacesOptions {
  /** Seed of the matching of units in each round. */
  readonly seed: number;
  /** Rounds over all spaces after which the search ends. */
  readonly rounds: number;
  /** Signal that stops the search, checked before each round. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** A round that raises the inner product by less than this share is the last. */
const TOLERANCE = 1e-4;

/**
 * Brings B closer to A by weights alone: streams, heads and other units in turn, each solved exactly while
 * the others stay, until the inner product of both networks no longer rises.
 *
 * @param start - spaces to start from, such as the closed form
 */
export async function descendSpaces(
  pair: FramedPair,
  start: AlignedSpaces,
  { seed, rounds, signal }: DescendSpacesOptions,
): Promise<AlignedSpaces> {
  const { architecture, frame, a, b } = pair;
  const { spaces } = frame.symmetries.mixing;
  const isStream = streamsOf(frame);
  let current = start;
  let reached = innerProduct(frame, a, mixed(frame, current.placed, current.mixture));
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted();
    let { mixture } = current;
    for (const chosen of [isStream, (index: number) => !isStream(index)]) {
      const grams = weightGrams(frame, [a, mixed(frame, current.placed, mixture)]);
      mixture = compositionOf(spaces, await nearest(spaces, grams, chosen), mixture);
    }
    const permuted = await permuteFramed(architecture, current.alignment, b);
    const turned = mixed(frame, permuted, mixture);
    const units = await matchUnits({ ...pair, b: turned }, { seed, signal });
    const alignment = compose(units.alignment, current.alignment);
    const factors = await matchedFactors(pair, turned, units);
    const placed = multiplied(frame.units, await permuteFramed(architecture, alignment, b), factors);
    current = { alignment, factors, mixture, placed };
    const next = innerProduct(frame, a, mixed(frame, current.placed, mixture));
    if (!(next - reached > TOLERANCE * Math.abs(reached))) break;
    reached = next;
  }
  return current;
}

/** Sums the products of the elements of both networks over the weights that spaces lie in. */
function innerProduct(frame: StreamFrame, a: Doubles, b: Doubles): number {
  let sum = 0;
  for (const name of frame.occurrences.keys()) {
    const [left, right] = [a.get(name), b.get(name)];
    if (left === undefined || right === undefined) continue;
    for (let i = 0; i < left.length; i++) sum += at(left, i, "element") * at(right, i, "element");
  }
  return sum;
}
