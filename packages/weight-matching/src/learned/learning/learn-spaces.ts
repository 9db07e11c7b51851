import { at } from "@isthmus/core";
import { compose, identityAlignment, identityMixture } from "@isthmus/symmetry";
import { completeFollowers } from "@isthmus/symmetry/layout";
import type { AlignedSpaces } from "../closed-form/closed-form.ts";
import { findStart, identitySpaces, type LearningStart } from "../find-start.ts";
import { compositionOf, inverseMixture } from "../matrices/compose-mixtures.ts";
import { permuteFramed } from "../permute-framed.ts";
import { type FramedNetworks, type FramedPair, pairOf, type StreamFrame } from "../stream-frame.ts";
import { identityFactors, multiplied } from "../unit-factors.ts";
import { equalShares, type Shares } from "./blend.ts";
import {
  type HalfWay,
  type LearnMixtureOptions,
  type LearnMixtureResult,
  learnMixture,
} from "./learn-mixture.ts";
import { beginLearning, type Learning } from "./learning.ts";
import type { LearningKeeper } from "./learning-state.ts";
import type { MixedUnits } from "./unit-inputs.ts";
import { identityPlaces, moveVariablesInPlace } from "./unit-mover.ts";

/** Options of {@link learnSpaces}. */
export interface LearnSpacesOptions extends Omit<LearnMixtureOptions, "onSave"> {
  /** Rounds of descent by weights that are tried after the closed form. */
  readonly rounds: number;
  /** Keeper of the state of learning; undefined if it is not kept. */
  readonly keeper: LearningKeeper | undefined;
}

/** A network as learning leaves it, and where it started. */
export interface LearnedSpaces extends LearningStart {
  /** Units that learning moved, of the ones it may move. */
  readonly moved: number;
}

/** Result of {@link learnSpaces}. */
export interface LearnSpacesResult extends Pick<LearnMixtureResult, "steps" | "diverged"> {
  /** All networks but the reference, in order. */
  readonly others: readonly LearnedSpaces[];
  /** Minus the loss of the mean of all networks at the end, in nats. */
  readonly after: number;
}

/** Batches that candidates are judged by. */
export const JUDGED_BATCHES = 16;

/**
 * Goes through the three stages, or continues an interrupted learning, and judges the result. Each network
 * is brought to the reference in closed form; from there all learn together.
 *
 * @param gramsOf - returns the products of activations of the reference and of the network of an index
 */
export async function learnSpaces(
  framed: FramedNetworks,
  gramsOf: (index: number) => Promise<Float64Array[]>,
  halfway: HalfWay,
  options: LearnSpacesOptions,
): Promise<LearnSpacesResult> {
  const { keeper, ...rest } = options;
  const judge = createJudge(framed, halfway, options.signal);
  const interrupted = await keeper?.load();
  const starts = interrupted?.starts ?? (await findStarts(framed, gramsOf, judge, options));
  const begun = starts.map(({ spaces }) => spaces);
  const [only] = starts;
  // The start of a pair was judged at the same place when it was chosen.
  const before = starts.length === 1 && only ? only.objectives.best : await judge(begun);
  const asBegun = starts.map((start) => ({ ...start, moved: 0 }));
  if (options.steps === 0) {
    options.onProgress?.({ done: 1, step: 0, steps: 0, loss: -before });
    return { others: asBegun, after: before, steps: 0, diverged: null };
  }
  const from = interrupted?.learning ?? beginAll(framed.frame, halfway.movers, begun);
  const onSave = keeper && ((learning: readonly Learning[]) => keeper.save({ starts, learning }));
  if (interrupted === undefined) await onSave?.(from);
  const networks = [at(framed.networks, 0, "reference"), ...begun.map(({ placed }) => placed)];
  const learned = await learnMixture({ ...framed, networks }, halfway, from, { ...rest, onSave });
  const { steps, diverged } = learned;
  const others: LearnedSpaces[] = [];
  const isFirstMoved = halfway.movers.includes(0);
  for (const [i, start] of starts.entries()) {
    const changes = at(learned.units, isFirstMoved ? i + 1 : i, "network");
    const moved = isFirstMoved
      ? relativeTo(framed.frame, at(learned.units, 0, "reference"), changes)
      : changes;
    const spaces = await learnedSpaces(pairOf(framed, i + 1), start.spaces, moved);
    others.push({ ...start, spaces, moved: countMoved(changes.places) });
  }
  const reached = await judge(others.map(({ spaces }) => spaces));
  // Too large a rate may lead to a higher loss than at the start.
  return reached > before
    ? { others, after: reached, steps, diverged }
    : { others: asBegun, after: before, steps, diverged };
}

/** Function that returns minus the loss of a mean of all networks, by equal shares if none are given. */
type Judge = (others: readonly AlignedSpaces[], shares?: Shares) => Promise<number>;

function createJudge(
  { frame, networks }: FramedNetworks,
  { mixer, midpoint, movers }: HalfWay,
  signal: AbortSignal | undefined,
): Judge {
  const { scales } = identityFactors(frame.units);
  const places = frame.movable.map(({ symmetry }) => identityPlaces(symmetry.size));
  const still = identityMixture(frame.symmetries.mixing.spaces);
  return async (others, shares = equalShares(networks.length)) => {
    const between = mixer.of([at(networks, 0, "reference"), ...others.map(({ placed }) => placed)]);
    const mixtures = [still, ...others.map(({ mixture }) => mixture)];
    const units = movers.map((mover) => ({ mixture: at(mixtures, mover, "network"), scales, places }));
    const { weights } = await between(units, shares);
    return -(await midpoint.evaluate(weights, { batches: JUDGED_BATCHES, shares, signal }));
  };
}

/** Finds the start of each network but the reference, by the loss half-way between both. */
async function findStarts(
  framed: FramedNetworks,
  gramsOf: (index: number) => Promise<Float64Array[]>,
  judge: Judge,
  options: LearnSpacesOptions,
): Promise<LearningStart[]> {
  const count = framed.networks.length;
  const starts: LearningStart[] = [];
  const asTheyAre = framed.networks.slice(1).map((_, i) => identitySpaces(pairOf(framed, i + 1)));
  for (let index = 1; index < count; index++) {
    const shares = Array.from({ length: count }, (_, k) => (k === 0 || k === index ? 1 / 2 : 0));
    const judgeOne = (spaces: AlignedSpaces) => judge(asTheyAre.with(index - 1, spaces), shares);
    starts.push(await findStart(pairOf(framed, index), await gramsOf(index), judgeOne, options));
  }
  return starts;
}

/** Begins to learn with each network that moves, the reference with its units in their places. */
function beginAll(
  frame: StreamFrame,
  movers: readonly number[],
  others: readonly AlignedSpaces[],
): readonly Learning[] {
  const still = identityMixture(frame.symmetries.mixing.spaces);
  return movers.map((mover) =>
    mover === 0
      ? beginLearning(frame, still, [])
      : beginLearning(frame, at(others, mover - 1, "network").mixture),
  );
}

/**
 * Returns the units that bring a network to the reference in its place if both have moved: from `gA` to `hB`
 * is the same way as from `A` to `g^-1 h B`. The reference's hidden units keep their places.
 */
export function relativeTo(
  { symmetries }: StreamFrame,
  reference: MixedUnits,
  { mixture, scales, places }: MixedUnits,
): MixedUnits {
  const { spaces } = symmetries.mixing;
  return {
    mixture: compositionOf(spaces, inverseMixture(spaces, reference.mixture), mixture),
    scales: scales.map((scale, variable) => scale / at(reference.scales, variable, "variable")),
    places,
  };
}

/** Composes the start of learning with the learned mixture. */
async function learnedSpaces(
  { architecture, frame, b }: FramedPair,
  start: AlignedSpaces,
  { mixture, scales, places }: MixedUnits,
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
