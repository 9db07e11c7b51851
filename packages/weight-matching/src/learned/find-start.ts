import { identityAlignment, identityMixture } from "@isthmus/symmetry";
import { type AlignedSpaces, alignInClosedForm } from "./closed-form/closed-form.ts";
import { type DescendSpacesOptions, descendSpaces } from "./closed-form/descend-spaces.ts";
import type { FramedPair } from "./stream-frame.ts";
import { identityFactors } from "./unit-factors.ts";

/** Mixture that learning starts at, with its objectives. */
export interface LearningStart {
  /** Permutation, factors and mixture of the best start. */
  readonly spaces: AlignedSpaces;
  /** Minus the loss half-way, in nats: of the start, in closed form, and after descent by weights. */
  readonly objectives: { readonly best: number; readonly closedForm: number; readonly descent: number };
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
function identitySpaces({ architecture, frame, b }: FramedPair): AlignedSpaces {
  return {
    alignment: identityAlignment(architecture.symmetries.spec),
    factors: identityFactors(frame.units),
    mixture: identityMixture(frame.symmetries.mixing.spaces),
    placed: b,
  };
}
