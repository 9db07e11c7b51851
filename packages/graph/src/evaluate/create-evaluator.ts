import { InputError, resolveOptions, type Tensor } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import type { Engine } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { createPasses, type LogitsBatch } from "./create-passes.ts";
import { crossEntropyInto } from "./cross-entropy.ts";
import { EVALUATOR_DEFAULTS, type EvaluatorOptions } from "./evaluator-options.ts";

/** Loss and accuracy of one network on a data set. */
export interface Evaluation {
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of examples classified wrongly, or of tokens predicted wrongly, in `[0, 1]`. */
  readonly error: number;
  readonly examples: number;
  /** Cross-entropy of each example, the mean over its tokens if it is a text, `[examples]`, in nats. */
  readonly losses: Float64Array;
  /** Whether each example is classified rightly, 0 or 1; of a text, the share of its tokens; `[examples]`. */
  readonly right: Float64Array;
  /** Positions that were to be predicted; absent where each example is one. */
  readonly tokens?: number;
  /**
   * `exp` of the mean cross-entropy of all positions, each counting the same, as the perplexity of language models is; absent where
   * each example is one.
   */
  readonly perplexity?: number;
}

/** Evaluates any number of networks of one architecture on one data set. */
export interface Evaluator {
  /**
   * Runs the whole data set once.
   * @param weights - a tensor for every weight of the graph, as `bindWeights` reads them
   * @throws InputError if the output that is scored is not a logit for each class of each example or position, or an example has no
   *   position that counts
   * @throws DOMException named AbortError if `signal` is aborted
   */
  evaluate(weights: ReadonlyMap<string, Tensor>, signal?: AbortSignal): Promise<Evaluation>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/**
 * Prepares loss and accuracy of networks of one architecture: one pass, in batches, in the order of the
 * data set, sums in f64; the same bits on every run.
 *
 * Logits `[examples, classes]` are held against the labels. Logits `[examples, length, classes]` are held against the labels of
 * positions, if the data have such, else of token ids `[examples, length]` against the tokens that come next, each but the first of its
 * example; labels below 0 and positions that an attention mask leaves out do not count. The loss of an example is then the mean over
 * its positions that count.
 *
 * The first output that can be logits is scored; `scoreOutput` chooses another one. A graph of a fixed batch is run in its batches, the
 * last one filled up.
 * @throws InputError if there are no examples, they do not fit the graph's input, or there is nothing for another input
 * @throws RangeError if an option is out of its range
 */
export async function createEvaluator(
  graph: Graph,
  engine: Engine,
  data: DataSet,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  const resolved = resolveOptions("evaluate", EVALUATOR_DEFAULTS, options);
  const passes = await createPasses({ graph, engine, data, attempt: "evaluate", texts: true }, resolved);
  return {
    async evaluate(weights, signal) {
      const scores = new Scores(data);
      await passes.run(weights, (batch) => scores.add(batch), signal);
      return scores.result();
    },
    release: () => passes.release(),
  };
}

/** Scores of the examples of a data set, as they come in. */
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

  /** Adds what each example of a batch comes to: the means over its rows that count. */
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
