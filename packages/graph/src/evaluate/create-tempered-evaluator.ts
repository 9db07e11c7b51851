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

/** Loss of a network whose logits are divided by a temperature; errors are the same at every temperature. */
export interface TemperedLoss extends Pick<Evaluation, "loss" | "losses" | "perplexity"> {
  /** What all logits are divided by, see `fitTemperature`. */
  readonly temperature: number;
  /** Name of the data that the temperature was fitted to, and how many of its examples, from the first. */
  readonly fitted: { readonly data: string; readonly examples: number };
}

/** Loss and accuracy of one network, and its loss with the temperature that suits it best. */
export interface TemperedEvaluation extends Evaluation {
  readonly tempered: TemperedLoss;
}

/** Evaluates any number of networks of one architecture as they are and with a temperature of their own. */
export interface TemperedEvaluator {
  /** By which loss networks are evaluated, and which value of the graph holds their logits. */
  readonly scoring: Scoring;
  /**
   * Runs the data to fit the temperature to, and then the whole data set unless they are the same.
   * @param network - has every weight of the graph; they are read anew each time
   * @throws MismatchError if it lacks a weight, or one has another shape
   * @throws InputError if the scored output is not one logit for each class of each example or position, or
   *   an example has no position that counts
   * @throws DOMException named AbortError if `signal` is aborted
   */
  evaluate(network: Checkpoint, signal?: AbortSignal): Promise<TemperedEvaluation>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/** What {@link createTemperedEvaluator} evaluates on. */
export interface TemperedEvaluatorData {
  /** Examples to evaluate on. */
  readonly data: DataSet;
  /**
   * Examples that temperatures are fitted to, by the loss that is measured. Logits of the first of them are
   * kept in memory, 2^28 numbers at most, and those after are left out. @defaultValue `data`
   */
  readonly fitted?: DataSet;
}

/**
 * Prepares loss and accuracy of networks of one architecture as `createEvaluator` does, and with one softmax
 * temperature that is fitted for each network.
 *
 * Fitted to the data it is evaluated on, a network's loss is never higher than at the temperature 1.
 * @throws InputError if there are no examples, they do not fit the graph's input, or there
 *   is nothing for another input
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

/** Returns what frees the engine's memory after an error, and throws it. */
const releasing = (passes: LogitsPasses) => async (error: unknown) => {
  await passes.release();
  throw error;
};
