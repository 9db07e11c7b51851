import { at, type Checkpoint, resolveOptions } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import type { LossOption } from "../scoring/losses.ts";
import { scoreBy } from "../scoring/score-by.ts";
import type { Scoring } from "../scoring/scoring-of.ts";
import { createPasses, type RunBatch } from "./create-passes.ts";
import { EVALUATOR_DEFAULTS, type EvaluatorOptions } from "./evaluator-options.ts";
import { openScorers, sumScores } from "./open-scorers.ts";
import type { Evaluation } from "./scores.ts";

/** Evaluates any number of networks of one architecture on one data set. */
export interface Evaluator {
  /** Loss by which networks are evaluated, and value of the graph that contains their logits. */
  readonly scoring: Scoring;
  /**
   * Runs the whole data set once.
   * @param network - network with every weight of the graph; the weights are read again at each call
   * @throws MismatchError if the network lacks a weight, or a weight has another shape
   * @throws InputError if the scored output is not one logit for each class of each example or position, an
   *   example has no position that counts, or a language model sees the token that it should predict
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
 * compared with the labels of positions, if the data have these; else, for token ids `[examples, length]`,
 * with the next token at each position. Labels below 0 and positions that an attention mask leaves out do not
 * count. The loss of such an example is the mean over its positions that count. Logits
 * `[examples, classes, height, width]` are compared with the labels of pixels. Other losses compare each
 * number of the output with its own target: labels of that shape, or the input itself; `lossOf` describes the
 * default loss.
 *
 * `scoringOf` describes the default for the scored value: the output that is computed last or, if a softmax
 * over the classes computes it, the input of the softmax; `scoreOutput` chooses another value. A graph with a
 * fixed batch is run in batches of that size, and the last one is filled up.
 * @throws InputError if there are no examples, they do not fit the graph's input, there is no array for
 *   another input, labels do not fit the output, or the loss cannot be computed from the output
 * @throws UsageError if there is no such loss
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
  { graph: unscored, engine }: Architecture,
  data: DataSet,
  { loss, ...options }: EvaluatorOptions & LossOption = {},
): Promise<Evaluator> {
  const resolved = resolveOptions("evaluate", EVALUATOR_DEFAULTS, options);
  const graph = scoreBy(unscored, loss);
  const { graph: scored, outputs, scorers } = await openScorers("evaluate", { graph, engine }, data);
  const passes = await createPasses({ graph: scored, engine, data, attempt: "evaluate", outputs }, resolved);
  return {
    scoring: at(scorers, 0, "output").scoring,
    async evaluate(network, signal) {
      const opened = scorers.map((scorer) => ({ ...scorer, scores: scorer.begin() }));
      const visit = async (run: RunBatch) => {
        for (const { scores } of opened) await scores.add(run);
      };
      await passes.run(await bindWeights(graph, network), visit, { signal });
      return sumScores(
        opened.map(({ name, weight, scores }) => ({ name, weight, evaluation: scores.result() })),
      );
    },
    release: () => passes.release(),
  };
}
