import { type Checkpoint, resolveOptions } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import { fitTemperature } from "../kernels/fit-temperature.ts";
import type { Scoring } from "../scoring/scoring-of.ts";
import { createLogitsPasses, type LogitsPasses } from "./create-logits-passes.ts";
import { EVALUATOR_DEFAULTS, type EvaluatorOptions } from "./evaluator-options.ts";
import { HeldLogits } from "./held-logits.ts";
import { type Evaluation, Scores } from "./scores.ts";

/** Loss of a network whose logits are divided by a temperature; the temperature does not change errors. */
export interface TemperedLoss extends Pick<Evaluation, "loss" | "losses" | "perplexity"> {
  /** Number by which all logits are divided, see `fitTemperature`. */
  readonly temperature: number;
  /** Name of the data that the temperature was fitted to, and number of the first examples that were used. */
  readonly fitted: { readonly data: string; readonly examples: number };
}

/** Loss and accuracy of one network, and its loss at the best temperature. */
export interface TemperedEvaluation extends Evaluation {
  /** Loss at the temperature that was fitted to this network. */
  readonly tempered: TemperedLoss;
}

/**
 * Evaluates any number of networks of one architecture, both directly and with a temperature fitted to each.
 */
export interface TemperedEvaluator {
  /** Loss by which networks are evaluated, and value of the graph that contains their logits. */
  readonly scoring: Scoring;
  /**
   * Runs the data to fit the temperature to, and then the whole data set unless they are the same.
   * @param network - network with every weight of the graph; the weights are read again at each call
   * @throws MismatchError if the network lacks a weight, or a weight has another shape
   * @throws InputError if the scored output is not one logit for each class of each example or position, or
   *   an example has no position that counts
   * @throws DOMException named AbortError if `signal` is aborted
   */
  evaluate(network: Checkpoint, signal?: AbortSignal): Promise<TemperedEvaluation>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/** Data of {@link createTemperedEvaluator}. */
export interface TemperedEvaluatorData {
  /** Examples to evaluate on. */
  readonly data: DataSet;
  /**
   * Examples that temperatures are fitted to, by the measured loss. Only the first examples are used, whose
   * logits are kept in memory: at most 2^28 numbers. @defaultValue `data`
   */
  readonly fitted?: DataSet;
}

/**
 * Prepares loss and accuracy of networks of one architecture as `createEvaluator` does, and with one softmax
 * temperature that is fitted for each network.
 *
 * If the temperature is fitted to the evaluated data, the loss is never higher than at temperature 1.
 * @throws InputError if there are no examples, they do not fit the graph's input, or there is no array for
 *   another input
 * @throws OutOfRangeError if an option is out of its range
 */
export async function createTemperedEvaluator(
  { graph, engine }: Architecture,
  { data, fitted = data }: TemperedEvaluatorData,
  options: EvaluatorOptions = {},
): Promise<TemperedEvaluator> {
  const resolved = resolveOptions("evaluate", EVALUATOR_DEFAULTS, options);
  const prepare = (examples: DataSet) =>
    createLogitsPasses({ graph, engine, data: examples, attempt: "evaluate", texts: true }, resolved);
  const passes = await prepare(data);
  const fitting = fitted === data ? passes : await prepare(fitted).catch(releasing(passes));
  return {
    scoring: passes.scoring,
    async evaluate(network, signal) {
      const weights = await bindWeights(graph, network);
      const held = new HeldLogits();
      const plain = new Scores(data);
      const isShared = fitting === passes;
      await fitting.run(
        weights,
        (batch) => {
          held.add(batch);
          if (isShared) plain.add(batch);
        },
        { signal, isEnough: () => !isShared && held.isFull },
      );
      const temperature = fitTemperature(held.batches);
      const tempered = new Scores(data, temperature);
      if (isShared && !held.isFull) {
        for (const batch of held.batches) tempered.add(batch);
      } else {
        await passes.run(
          weights,
          (batch) => {
            if (!isShared) plain.add(batch);
            tempered.add(batch);
          },
          { signal },
        );
      }
      const { loss, losses, perplexity } = tempered.result();
      return {
        ...plain.result(),
        tempered: {
          temperature,
          loss,
          losses,
          ...(perplexity === undefined ? {} : { perplexity }),
          fitted: { data: fitted.name, examples: held.examples },
        },
      };
    },
    async release() {
      await passes.release();
      if (fitting !== passes) await fitting.release();
    },
  };
}

/** Returns a function that frees the engine's memory after an error, and rethrows the error. */
const releasing = (passes: LogitsPasses) => async (error: unknown) => {
  await passes.release();
  throw error;
};
