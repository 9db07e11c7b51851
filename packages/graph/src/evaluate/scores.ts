import { InputError, sumOf } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import { crossEntropyInto } from "../kernels/cross-entropy.ts";
import type { LogitsBatch } from "./read-logits.ts";

/** Loss and accuracy of one network on a data set. */
export interface Evaluation {
  /** Mean loss of the examples, in the unit of the loss: nats for cross-entropy. */
  readonly loss: number;
  /**
   * Share of examples that are classified wrongly, or the mean over examples of the share of their tokens,
   * pixels or labels that are predicted wrongly, in `[0, 1]`; NaN if the loss has no notion of errors.
   */
  readonly error: number;
  /** Number of examples in the data set. */
  readonly examples: number;
  /** Loss of each example, `[examples]`: the mean over its tokens, pixels or numbers that count. */
  readonly losses: Float64Array;
  /**
   * Correctness of each example, `[examples]`: 0 or 1, or the share of its tokens, pixels or labels that are
   * predicted correctly; NaN if the loss has no notion of it.
   */
  readonly right: Float64Array;
  /** Number of positions that count; absent if each example has one label, and for pixels. */
  readonly tokens?: number;
  /**
   * Perplexity of a language model: `exp` of the mean cross-entropy of all positions, each with the same
   * weight; absent if each example has one label, and for pixels.
   */
  readonly perplexity?: number;
  /** Loss and error of each output by its name; absent unless several outputs have a loss each. */
  readonly outputs?: Readonly<Record<string, Pick<Evaluation, "loss" | "error">>>;
}

/** Scores by classes of the examples of a data set, accumulated batch by batch. */
export class Scores {
  readonly #data: DataSet;
  readonly #temperature: number;
  readonly #losses: Float64Array;
  readonly #right: Float64Array;
  #tokens = 0;
  #tokenLoss = 0;
  #isText = false;

  /** @param temperature - number by which logits are divided, above 0 */
  constructor(data: DataSet, temperature = 1) {
    this.#data = data;
    this.#temperature = temperature;
    this.#losses = new Float64Array(data.size);
    this.#right = new Float64Array(data.size);
  }

  /** Adds the scores of each example of a batch: the means over its rows that count. */
  add({ logits, labels, rows, begin }: LogitsBatch): void {
    assertClasses(this.#data, logits.length / labels.length);
    const scored = { losses: new Float64Array(labels.length), right: new Float64Array(labels.length) };
    crossEntropyInto(logits, labels, { ...scored, begin: 0 }, this.#temperature);
    for (let i = 0; i * rows < labels.length; i++) {
      const [first, last] = [i * rows, (i + 1) * rows];
      const counted = countLabelled(labels.subarray(first, last));
      if (counted === 0) throw nothingCounts(this.#data, begin + i);
      const loss = sumOf(scored.losses.subarray(first, last));
      this.#losses[begin + i] = loss / counted;
      this.#right[begin + i] = sumOf(scored.right.subarray(first, last)) / counted;
      this.#tokens += counted;
      this.#tokenLoss += loss;
    }
    this.#isText ||= rows > 1 && this.#data.labelling !== "pixel";
  }

  /** Returns the evaluation of all added examples. */
  result(): Evaluation {
    return {
      ...summarize(this.#losses, this.#right),
      ...(this.#isText ? { tokens: this.#tokens, perplexity: Math.exp(this.#tokenLoss / this.#tokens) } : {}),
    };
  }
}

/** Returns the evaluation of examples from their losses and their shares of right predictions. */
export function summarize(losses: Float64Array, right: Float64Array): Evaluation {
  const examples = losses.length;
  return {
    loss: sumOf(losses) / examples,
    error: (examples - sumOf(right)) / examples,
    examples,
    losses,
    right,
  };
}

function countLabelled(labels: Int32Array): number {
  let count = 0;
  for (const label of labels) if (label >= 0) count++;
  return count;
}

/** Returns the error for an example without positions that count. */
export function nothingCounts({ name }: DataSet, example: number): InputError {
  return new InputError(
    `Cannot evaluate on "${name}" as every example must have a position that counts: example ${example} has none, all its labels are negative, masked or missing; leave such examples out`,
    { input: name },
  );
}

function assertClasses({ name, classes: used, labelling = "example" }: DataSet, classes: number): void {
  if (used <= classes) return;
  const what = labelling === "next" ? "token ids" : "labels";
  const advice = labelling === "pixel" ? "; pixels that do not count must have negative labels" : "";
  throw new InputError(
    `Cannot evaluate on "${name}" as ${what} must be below the ${classes} classes of the graph: the largest is ${used - 1}${advice}`,
    { input: name },
  );
}
