import { InputError } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import { crossEntropyInto } from "../kernels/cross-entropy.ts";
import type { LogitsBatch } from "./create-passes.ts";

/** Loss and accuracy of one network on a data set. */
export interface Evaluation {
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of examples that are classified wrongly, or of tokens that are predicted wrongly, in `[0, 1]`. */
  readonly error: number;
  readonly examples: number;
  /** Cross-entropy of each example, for text the mean over its tokens, `[examples]`, in nats. */
  readonly losses: Float64Array;
  /** Whether each example is classified correctly, 0 or 1; for text the share of its tokens; `[examples]`. */
  readonly right: Float64Array;
  /** Number of positions that count; absent if each example has one label. */
  readonly tokens?: number;
  /**
   * Perplexity of a language model: `exp` of the mean cross-entropy of all positions, each with the same
   * weight; absent if each example has one label.
   */
  readonly perplexity?: number;
}

/** Scores of the examples of a data set, which are added batch by batch. */
export class Scores {
  readonly #data: DataSet;
  readonly #temperature: number;
  readonly #losses: Float64Array;
  readonly #right: Float64Array;
  #tokens = 0;
  #tokenLoss = 0;
  #isText = false;

  /** @param temperature - what logits are divided by, above 0 */
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
      const loss = sum(scored.losses.subarray(first, last));
      this.#losses[begin + i] = loss / counted;
      this.#right[begin + i] = sum(scored.right.subarray(first, last)) / counted;
      this.#tokens += counted;
      this.#tokenLoss += loss;
    }
    this.#isText ||= rows > 1;
  }

  /** Returns the evaluation of all examples that were added. */
  result(): Evaluation {
    const examples = this.#losses.length;
    return {
      loss: sum(this.#losses) / examples,
      error: (examples - sum(this.#right)) / examples,
      examples,
      losses: this.#losses,
      right: this.#right,
      ...(this.#isText ? { tokens: this.#tokens, perplexity: Math.exp(this.#tokenLoss / this.#tokens) } : {}),
    };
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function countLabelled(labels: Int32Array): number {
  let count = 0;
  for (const label of labels) if (label >= 0) count++;
  return count;
}

function nothingCounts({ name }: DataSet, example: number): InputError {
  return new InputError(
    `Cannot evaluate on "${name}" as every example must have a position that counts: example ${example} has none, all its labels are negative or masked; leave such examples out`,
    { input: name },
  );
}

function assertClasses({ name, classes: used, labelling = "example" }: DataSet, classes: number): void {
  if (used <= classes) return;
  const what = labelling === "next" ? "token ids" : "labels";
  throw new InputError(
    `Cannot evaluate on "${name}" as ${what} must be below the ${classes} classes of the graph: the largest is ${used - 1}`,
    { input: name },
  );
}
