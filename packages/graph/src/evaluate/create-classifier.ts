import { type Checkpoint, resolveOptions } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import { softmaxInto } from "../kernels/softmax.ts";
import type { Scoring } from "../scoring/scoring-of.ts";
import { createLogitsPasses } from "./create-logits-passes.ts";
import { EVALUATOR_DEFAULTS, type EvaluatorOptions } from "./evaluator-options.ts";

/** Class probabilities of the examples of a data set. */
export interface ClassProbabilities {
  /** Probabilities, `[examples, classes]`, row-major; each row sums to 1. */
  readonly probabilities: Float64Array;
  /** Number of classes, the extent of each row. */
  readonly classes: number;
}

/** Computes class probabilities of any number of networks of one architecture on one data set. */
export interface Classifier {
  /** Value of the graph that contains the logits, and the loss. */
  readonly scoring: Scoring;
  /**
   * Runs the whole data set once, without its labels.
   * @param network - network with every weight of the graph; the weights are read again at each call
   * @throws MismatchError if the network lacks a weight, or a weight has another shape
   * @throws InputError if the scored output is not f32 logits `[examples, classes]`
   * @throws DOMException named AbortError if `signal` is aborted
   */
  classify(network: Checkpoint, signal?: AbortSignal): Promise<ClassProbabilities>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/**
 * Prepares class probabilities of networks of one architecture: softmax in f64 of the logits
 * that `scoringOf` finds, in the order of the data set, with the same bits on every run.
 * @throws InputError if there are no examples, or they do not fit the graph's input
 * @throws OutOfRangeError if an option is out of its range
 */
export async function createClassifier(
  { graph, engine }: Architecture,
  data: DataSet,
  options: EvaluatorOptions = {},
): Promise<Classifier> {
  const resolved = resolveOptions("classify", EVALUATOR_DEFAULTS, options);
  const passes = await createLogitsPasses({ graph, engine, data, attempt: "classify" }, resolved);
  return {
    scoring: passes.scoring,
    async classify(network, signal) {
      let classes = 0;
      let probabilities = new Float64Array(0);
      await passes.run(
        await bindWeights(graph, network),
        ({ logits, labels, begin }) => {
          classes = logits.length / labels.length;
          if (begin === 0) probabilities = new Float64Array(data.size * classes);
          softmaxInto(logits, classes, probabilities.subarray(begin * classes));
        },
        { signal },
      );
      return { probabilities, classes };
    },
    release: () => passes.release(),
  };
}
