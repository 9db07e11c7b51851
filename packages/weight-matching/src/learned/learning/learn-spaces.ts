import { at } from "@isthmus/core";
import { compose, identityAlignment } from "@isthmus/symmetry";
import { completeFollowers } from "@isthmus/symmetry/layout";
import type { AlignedSpaces } from "../closed-form/closed-form.ts";
import { findStart, type LearningStart } from "../find-start.ts";
import { permuteFramed } from "../permute-framed.ts";
import type { FramedPair } from "../stream-frame.ts";
import { identityFactors, multiplied } from "../unit-factors.ts";
import {
  type HalfWay,
  type LearnMixtureOptions,
  type LearnMixtureResult,
  learnMixture,
} from "./learn-mixture.ts";
import { beginLearning, type Learning } from "./learning.ts";
import type { LearningKeeper } from "./learning-state.ts";
import { identityPlaces, moveVariablesInPlace } from "./unit-mover.ts";

/** Options of {@link learnSpaces}. */
export interface LearnSpacesOptions extends Omit<LearnMixtureOptions, "onSave"> {
  /** Rounds of descent by weights that are tried after the closed form. */
  readonly rounds: number;
  /** Keeper of the state of learning; undefined if it is not kept. */
  readonly keeper: LearningKeeper | undefined;
}

/** Result of {@link learnSpaces}. */
export interface LearnSpacesResult extends LearningStart, Pick<LearnMixtureResult, "steps" | "diverged"> {
  /** Minus the loss half-way at the end, in nats. */
  readonly after: number;
  /** Units that learning moved, of those it may move. */
  readonly moved: number;
}

/** Batches that candidates are judged by. */
export const JUDGED_BATCHES = 16;

/** Goes through the three stages, or continues an interrupted learning, and judges the result. */
export async function learnSpaces(
  pair: FramedPair,
  gramsOf: () => Promise<Float64Array[]>,
  halfway: HalfWay,
  options: LearnSpacesOptions,
): Promise<LearnSpacesResult> {
  const { keeper, ...rest } = options;
  const { units, movable } = pair.frame;
  const stay = movable.map(({ symmetry }) => identityPlaces(symmetry.size));
  const judge = async ({ placed, mixture }: AlignedSpaces) => {
    const { scales } = identityFactors(units);
    const { weights } = await halfway.mixer.of(placed)({ mixture, scales, places: stay });
    return -(await halfway.midpoint.evaluate(weights, JUDGED_BATCHES, options.signal));
  };
  const interrupted = await keeper?.load();
  const start = interrupted?.start ?? (await findStart(pair, await gramsOf(), judge, options));
  const { best: before } = start.objectives;
  if (options.steps === 0) {
    const after = before;
    options.onProgress?.({ done: 1, step: 0, steps: 0, loss: -after });
    return { ...start, after, steps: 0, diverged: null, moved: 0 };
  }
  const from = interrupted?.learning ?? beginLearning(pair.frame, start.spaces.mixture);
  const onSave = keeper && ((learning: Learning) => keeper.save({ start, learning }));
  if (interrupted === undefined) await onSave?.(from);
  const learned = await learnMixture({ ...pair, b: start.spaces.placed }, halfway, from, { ...rest, onSave });
  const spaces = await learnedSpaces(pair, start.spaces, learned);
  const reached = await judge(spaces);
  const { steps, diverged } = learned;
  // Too large a rate may lead to a higher loss than at the start.
  return reached > before
    ? { ...start, spaces, after: reached, steps, diverged, moved: countMoved(learned.places) }
    : { ...start, after: before, steps, diverged, moved: 0 };
}

/** Composes the start of learning with the learned mixture. */
async function learnedSpaces(
  { architecture, frame, b }: FramedPair,
  start: AlignedSpaces,
  { mixture, scales, places }: LearnMixtureResult,
): Promise<AlignedSpaces> {
  const { spec } = architecture.symmetries;
  const source = identityAlignment(spec).source.slice();
  const signs = start.factors.signs.slice();
  const before = start.factors.scales.slice();
  frame.movable.forEach(({ symmetry: { firstUnit, size }, ...lists }, index) => {
    const next = at(places, index, "units");
    source.set(
      next.map((unit) => firstUnit + unit),
      firstUnit,
    );
    const way = [identityPlaces(size), next] as const;
    moveVariablesInPlace(signs, lists.signs, way);
    moveVariablesInPlace(before, lists.scales, way);
  });
  const alignment = compose(completeFollowers(spec, source), start.alignment);
  const factors = { signs, scales: before.map((scale, i) => scale * at(scales, i, "variable")) };
  const placed = multiplied(frame.units, await permuteFramed(architecture, alignment, b), factors);
  return { alignment, factors, mixture, placed };
}

/** Counts the units that are not in their original places. */
function countMoved(places: readonly Int32Array[]): number {
  return places.reduce((sum, list) => sum + list.filter((unit, place) => unit !== place).length, 0);
}
