import { createRandom, InputError } from "@isthmus/core";
import { type EpochOrder, epochOrderInto } from "../batches/create-batches.ts";
import { type EpochSizes, stepsUntil } from "../batches/epoch-steps.ts";
import { curriculumSize, type Pacing, type ResolvedCurriculum } from "./curriculum.ts";

/** The training that follows a curriculum. */
export interface CurriculumTraining extends EpochSizes {
  /** Seed of the draws from the examples that are added already. */
  readonly seed: number;
  /** Number of epochs of the whole training. */
  readonly epochs: number;
}

/**
 * Ranks the examples of a curriculum: by their losses, equal ones in the order of the data set, or by the
 * seed.
 * @param losses - loss of each example; none for a random order
 * @returns the examples in the order in which they are added
 * @throws InputError if a loss is not a number
 */
export function rankExamples(
  order: ResolvedCurriculum["order"],
  losses: Float64Array | undefined,
  { seed, examples }: Pick<CurriculumTraining, "seed" | "examples">,
): Uint32Array {
  const ranking = Uint32Array.from({ length: examples }, (_, i) => i);
  if (losses === undefined) return createRandom(seed, "order of the curriculum").shuffleInPlace(ranking);
  const wrong = losses.findIndex(Number.isNaN);
  if (wrong >= 0) {
    throw new InputError(
      `Cannot train by a curriculum as every example must have a loss to be ranked by: that of example ${wrong} is NaN; check the network that ranks`,
      { input: `example ${wrong}` },
    );
  }
  const sign = order === "easy-first" ? 1 : -1;
  const lossOf = (example: number) => sign * (losses[example] as number);
  return ranking.sort((a, b) => {
    const [first, second] = [lossOf(a), lossOf(b)];
    // Losses may be infinite, and two infinities have no difference.
    return first < second ? -1 : first > second ? 1 : a - b;
  });
}

/**
 * Returns the order of examples that a curriculum gives each epoch.
 * @param ranking - the examples in the order in which they are added
 */
export function curriculumOrder(
  pacing: Pacing,
  ranking: Uint32Array,
  training: CurriculumTraining,
): EpochOrder {
  const { seed, epochs, examples, batch, remainder } = training;
  const steps = stepsUntil(epochs, training);
  const perEpoch = remainder === "drop" ? Math.floor(examples / batch) * batch : examples;
  const sizeAt = (epoch: number, place: number) => {
    const step = Math.floor((epoch * perEpoch + place) / batch);
    return curriculumSize(pacing, step / steps, examples);
  };
  return (epoch, out) => {
    if (sizeAt(epoch, 0) === examples) {
      epochOrderInto(seed, epoch, out);
      return;
    }
    const random = createRandom(seed, `curriculum of epoch ${epoch}`);
    // The first `left` elements have not been drawn in the present pass over the deck.
    const deck = new Uint32Array(examples);
    let size = 0;
    let left = 0;
    const swap = (i: number, j: number) => {
      const item = deck[i] as number;
      deck[i] = deck[j] as number;
      deck[j] = item;
    };
    for (let place = 0; place < out.length; place++) {
      for (const end = sizeAt(epoch, place); size < end; size++, left++) {
        deck[size] = ranking[size] as number;
        swap(size, left);
      }
      if (left === 0) left = size;
      swap(random.integer(left), left - 1);
      left--;
      out[place] = deck[left] as number;
    }
  };
}
