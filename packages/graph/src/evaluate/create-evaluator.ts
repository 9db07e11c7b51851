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
}

/** Evaluates any number of networks of one architecture on one data set. */
export interface Evaluator {
  /**
   * Runs the whole data set once.
   * @param weights - a tensor for every weight of the graph, as `bindWeights` reads them
   * @throws InputError if the graph's first output is not a logit for each class or, of texts, for each next token
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
 * Logits `[examples, classes]` are held against the labels; logits `[examples, length, vocabulary]` of token ids
 * `[examples, length]` against the tokens that come next, each but the first of its example.
 * @throws InputError if there are no examples, or they do not fit the graph's input
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
      const losses = new Float64Array(data.size);
      const right = new Float64Array(data.size);
      const visit = (batch: LogitsBatch) => {
        assertClasses(data, batch.logits.length / batch.labels.length);
        scoreInto(batch, losses, right);
      };
      await passes.run(weights, visit, signal);
      return summarize(losses, right);
    },
    release: () => passes.release(),
  };
}

/** Writes what each example of a batch comes to: the means over its rows. */
function scoreInto(
  { logits, labels, rows, begin }: LogitsBatch,
  losses: Float64Array,
  right: Float64Array,
): void {
  const own = { losses: new Float64Array(labels.length), right: new Float64Array(labels.length), begin: 0 };
  crossEntropyInto(logits, labels, own);
  for (let i = 0; i * rows < labels.length; i++) {
    losses[begin + i] = mean(own.losses.subarray(i * rows, (i + 1) * rows));
    right[begin + i] = mean(own.right.subarray(i * rows, (i + 1) * rows));
  }
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function summarize(losses: Float64Array, right: Float64Array): Evaluation {
  let loss = 0;
  let correct = 0;
  for (const value of losses) loss += value;
  for (const value of right) correct += value;
  const examples = losses.length;
  return { loss: loss / examples, error: (examples - correct) / examples, examples, losses, right };
}

function assertClasses(data: DataSet, classes: number): void {
  if (data.classes <= classes) return;
  throw new InputError(
    `Cannot evaluate on "${data.name}" as labels must be below the ${classes} classes of the graph: the largest is ${data.classes - 1}`,
    { input: data.name },
  );
}
