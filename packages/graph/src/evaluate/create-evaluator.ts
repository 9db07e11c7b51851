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
  /** Share of examples classified wrongly, in `[0, 1]`. */
  readonly error: number;
  readonly examples: number;
  /** Cross-entropy of each example, `[examples]`, in nats. */
  readonly losses: Float64Array;
  /** Whether each example is classified rightly, `[examples]`, 0 or 1. */
  readonly right: Uint8Array;
}

/** Evaluates any number of networks of one architecture on one data set. */
export interface Evaluator {
  /**
   * Runs the whole data set once.
   * @param weights - a tensor for every weight of the graph, as `bindWeights` reads them
   * @throws InputError if the graph's first output is not a logit for each class
   * @throws DOMException named AbortError if `signal` is aborted
   */
  evaluate(weights: ReadonlyMap<string, Tensor>, signal?: AbortSignal): Promise<Evaluation>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/**
 * Prepares loss and accuracy of networks of one architecture: one pass, in batches, in the order of the
 * data set, sums in f64; the same bits on every run.
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
  const passes = await createPasses({ graph, engine, data, attempt: "evaluate" }, resolved);
  return {
    async evaluate(weights, signal) {
      const losses = new Float64Array(data.size);
      const right = new Uint8Array(data.size);
      const visit = ({ logits, labels, begin }: LogitsBatch) => {
        assertClasses(data, logits.length / labels.length);
        crossEntropyInto(logits, labels, { losses, right, begin });
      };
      await passes.run(weights, visit, signal);
      return summarize(losses, right);
    },
    release: () => passes.release(),
  };
}

function summarize(losses: Float64Array, right: Uint8Array): Evaluation {
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
