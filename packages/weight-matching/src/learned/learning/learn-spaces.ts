import { at } from "@isthmus/core";
import type { AlignedSpaces } from "../closed-form/closed-form.ts";
import { findStart, type LearningStart } from "../find-start.ts";
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

/** Options of {@link learnSpaces}. */
export interface LearnSpacesOptions extends Omit<LearnMixtureOptions, "onSave"> {
  /** Rounds of descent by weights that are tried after the closed form. */
  readonly rounds: number;
  /** Keeps the state of learning, if it is kept. */
  readonly keeper: LearningKeeper | undefined;
}

/** Result of {@link learnSpaces}. */
export interface LearnSpacesResult extends LearningStart, Pick<LearnMixtureResult, "steps" | "diverged"> {
  /** Minus the loss half-way at the end, in nats. */
  readonly after: number;
}

/** Batches that candidates are judged by. */
export const JUDGED_BATCHES = 16;

/** Goes through the three stages, or on from where they were interrupted, and judges where they end. */
export async function learnSpaces(
  pair: FramedPair,
  gramsOf: () => Promise<Float64Array[]>,
  halfway: HalfWay,
  options: LearnSpacesOptions,
): Promise<LearnSpacesResult> {
  const { keeper, ...rest } = options;
  const { units } = pair.frame;
  const judge = async ({ placed, mixture }: AlignedSpaces) => {
    const { scales } = identityFactors(units);
    const { weights } = await halfway.mixer.of(placed)({ mixture, scales });
    return -(await halfway.midpoint.evaluate(weights, JUDGED_BATCHES, options.signal));
  };
  const interrupted = await keeper?.load();
  const start = interrupted?.start ?? (await findStart(pair, await gramsOf(), judge, options));
  const { best: before } = start.objectives;
  if (options.steps === 0) {
    const after = before;
    options.onProgress?.({ done: 1, step: 0, steps: 0, loss: -after });
    return { ...start, after, steps: 0, diverged: null };
  }
  const from = interrupted?.learning ?? beginLearning(pair.frame, start.spaces.mixture);
  const onSave = keeper && ((learning: Learning) => keeper.save({ start, learning }));
  if (interrupted === undefined) await onSave?.(from);
  const learned = await learnMixture({ ...pair, b: start.spaces.placed }, halfway, from, { ...rest, onSave });
  const { alignment, factors, placed } = start.spaces;
  const scales = factors.scales.map((scale, i) => scale * at(learned.scales, i, "variable"));
  const more = { ...identityFactors(units), scales: learned.scales };
  const spaces = {
    ...{ alignment, factors: { ...factors, scales }, mixture: learned.mixture },
    placed: multiplied(units, placed, more),
  };
  const reached = await judge(spaces);
  const { steps, diverged } = learned;
  // Too large a rate may lead away from where learning started.
  return reached > before
    ? { ...start, spaces, after: reached, steps, diverged }
    : { ...start, after: before, steps, diverged };
}
