import { at } from "@isthmus/core";
import { compose, identityAlignment, identityMixture } from "@isthmus/symmetry";
import { type AlignedSpaces, alignInClosedForm, nearest, streamsOf } from "./closed-form/closed-form.ts";
import { matchedFactors } from "./closed-form/level-scales.ts";
import { matchUnits } from "./closed-form/match-units.ts";
import { weightGrams } from "./closed-form/weight-grams.ts";
import { compositionOf } from "./matrices/compose-mixtures.ts";
import { permuteFramed } from "./permute-framed.ts";
import { type Doubles, type FramedPair, mixed, type StreamFrame } from "./stream-frame.ts";
import { identityFactors, multiplied } from "./unit-factors.ts";

/** A round that raises the inner product by less than this share is the last. */
const TOLERANCE = 1e-4;

/** Mixture that learning starts at, with its objectives. */
export interface LearningStart {
  /** Permutation, factors and mixture of the best start. */
  readonly spaces: AlignedSpaces;
  /** Minus the loss half-way, in nats: of the start, in closed form, and after descent by weights. */
  readonly objectives: { readonly best: number; readonly closedForm: number; readonly descent: number };
}

/** Options of {@link descendSpaces}. */
interface DescendSpacesOptions {
  /** Seed of the matching of units in each round. */
  readonly seed: number;
  /** Rounds over all spaces after which the search ends. */
  readonly rounds: number;
  /** Signal that stops the search, checked before each round. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the start of learning: the best of the closed form, of descent by weights from there, and of
 * unchanged B.
 *
 * @param grams - products of activations by which streams are aligned
 * @param judge - returns minus the loss half-way
 */
export async function findStart(
  pair: FramedPair,
  grams: readonly Float64Array[],
  judge: (spaces: AlignedSpaces) => Promise<number>,
  options: DescendSpacesOptions,
): Promise<LearningStart> {
  const closed = await alignInClosedForm(pair, grams, options);
  const descended = await descendSpaces(pair, closed, options);
  const [closedForm, descent] = [await judge(closed), await judge(descended)];
  // Networks that are aligned already are not changed.
  const asTheyAre = identitySpaces(pair);
  const candidates = [
    { spaces: asTheyAre, objective: await judge(asTheyAre) },
    { spaces: closed, objective: closedForm },
    { spaces: descended, objective: descent },
  ];
  const { spaces, objective } = candidates.reduce((best, candidate) =>
    candidate.objective > best.objective ? candidate : best,
  );
  return { spaces, objectives: { best: objective, closedForm, descent } };
}

/** Keeps B unchanged, but for the gains of its norms, which become A's. */
export function identitySpaces({ architecture, frame, b }: FramedPair): AlignedSpaces {
  return {
    alignment: identityAlignment(architecture.symmetries.spec),
    factors: identityFactors(frame.units),
    mixture: identityMixture(frame.symmetries.mixing.spaces),
    placed: b,
  };
}

/**
 * Brings B closer to A by weights alone: streams, heads and other units in turn, each solved exactly while
 * the others stay, until the inner product of both networks no longer rises.
 *
 * @param start - spaces to start from, such as the closed form
 */
async function descendSpaces(
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
