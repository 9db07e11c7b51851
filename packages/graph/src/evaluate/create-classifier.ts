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
  /** `[examples, classes]`, row-major; each row sums to 1. */
  readonly probabilities: Float64Array;
  readonly classes: number;
}

/** Computes class probabilities by any number of networks of one architecture on one data set. */
export interface Classifier {
  /** Which value of the graph holds the logits. */
  readonly scoring: Scoring;
  /**
   * Runs the whole data set once, without its labels.
   * @param network - has every weight of the graph; they are read anew each time
   * @throws MismatchError if it lacks a weight, or one has another shape
   * @throws InputError if the output that is scored is not f32 logits `[examples, classes]`
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
