import { type Checkpoint, InputError, resolveOptions } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import { crossEntropyInto } from "../kernels/cross-entropy.ts";
import { createPasses, type LogitsBatch } from "./create-passes.ts";
import { EVALUATOR_DEFAULTS, type EvaluatorOptions } from "./evaluator-options.ts";

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

/** Evaluates any number of networks of one architecture on one data set. */
export interface Evaluator {
  /**
   * Runs the whole data set once.
   * @param network - has every weight of the graph; they are read anew each time
   * @throws MismatchError if it lacks a weight, or one has another shape
   * @throws InputError if the scored output is not one logit for each class of each example or position, or
   *   an example has no position that counts
   * @throws DOMException named AbortError if `signal` is aborted
   */
  evaluate(network: Checkpoint, signal?: AbortSignal): Promise<Evaluation>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/**
 * Prepares loss and accuracy of networks of one architecture: one pass, in batches, in the order of the data
 * set, with sums in f64 and the same bits on every run.
 *
 * Logits `[examples, classes]` are compared with the labels. Logits `[examples, length, classes]` are
 * compared with the labels of positions, if the data have them, else for token ids `[examples, length]` with
 * the next token at each position. Labels below 0 and positions that an attention mask leaves out do not
 * count. The loss of such an example is the mean over its positions that count.
 *
 * The first output that can be logits is scored; `scoreOutput` chooses another. A graph of a fixed batch is
 * run in its batches, the last one filled up.
 * @throws InputError if there are no examples, they do not fit the graph's input, or there
 *   is nothing for another input
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createEvaluator, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const evaluator = await createEvaluator(architecture, data); // for as many networks as there are
 * const { loss, error } = await evaluator.evaluate(initialize(0));
 * assert(loss > 2 && error > 0.5); // it has learned nothing yet
 * await evaluator.release();
 * ```
 */
export async function createEvaluator(
  { graph, engine }: Architecture,
  data: DataSet,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  const resolved = resolveOptions("evaluate", EVALUATOR_DEFAULTS, options);
  const passes = await createPasses({ graph, engine, data, attempt: "evaluate", texts: true }, resolved);
  return {
    async evaluate(network, signal) {
      const scores = new Scores(data);
      await passes.run(await bindWeights(graph, network), (batch) => scores.add(batch), signal);
      return scores.result();
    },
    release: () => passes.release(),
  };
}

/** Scores of the examples of a data set, which are added batch by batch. */
class Scores {
  readonly #data: DataSet;
  readonly #losses: Float64Array;
  readonly #right: Float64Array;
  #tokens = 0;
  #tokenLoss = 0;
  #isText = false;

  constructor(data: DataSet) {
    this.#data = data;
    this.#losses = new Float64Array(data.size);
    this.#right = new Float64Array(data.size);
  }

  /** Adds the scores of each example of a batch: the means over its rows that count. */
  add({ logits, labels, rows, begin }: LogitsBatch): void {
    assertClasses(this.#data, logits.length / labels.length);
    const scored = { losses: new Float64Array(labels.length), right: new Float64Array(labels.length) };
    crossEntropyInto(logits, labels, { ...scored, begin: 0 });
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
