import { type Tensor, UsageError } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { isElementwise } from "../scoring/elementwise-losses.ts";
import { type Scoring, scoringOf } from "../scoring/scoring-of.ts";
import { createPasses, type PassOptions } from "./create-passes.ts";
import type { EvaluatorOptions } from "./evaluator-options.ts";
import { createLogitsReader, type LogitsBatch } from "./read-logits.ts";

/** Runs networks of one architecture over one data set, and reads logits of classes. */
export interface LogitsPasses {
  /** Scoring of the networks. */
  readonly scoring: Scoring;
  /**
   * Runs the whole data set once, in order.
   * @param visit - called for every batch
   */
  run(
    weights: ReadonlyMap<string, Tensor>,
    visit: (batch: LogitsBatch) => void,
    options: PassOptions,
  ): Promise<void>;
  /** Frees the engine's memory. */
  release(): Promise<void>;
}

/** Graph and data of {@link createLogitsPasses}. */
export interface LogitsPassesTask extends Architecture {
  /** Examples to run the networks on. */
  readonly data: DataSet;
  /** Name of the attempt for messages, for example `evaluate`. */
  readonly attempt: string;
  /** Whether logits of every position or pixel are accepted, too. @defaultValue false */
  readonly texts?: boolean;
}

/**
 * Prepares runs of networks for measurements of logits of classes.
 * @throws UsageError if networks are scored by a loss without logits of classes
 */
export async function createLogitsPasses(
  task: LogitsPassesTask,
  options: Required<EvaluatorOptions>,
): Promise<LogitsPasses> {
  const { attempt, data } = task;
  const scoring = await scoringOf(attempt, task, data);
  const { loss, graph, logits: name, output } = scoring;
  if (isElementwise(loss) || loss === "function" || loss === "several") {
    throw new UsageError(
      `Cannot ${attempt} with graph "${task.graph.name}" by the loss ${loss} as probabilities of classes are needed, which cross-entropy alone has; measure losses instead, or name --loss cross-entropy if the labels are classes`,
    );
  }
  const { shape } = output;
  const outputs = [{ name, ...(shape && { shape }) }];
  const passes = await createPasses({ ...task, graph, outputs }, options);
  const read = createLogitsReader({ ...task, graph, scoring });
  return {
    scoring,
    run: (weights, visit, passOptions) =>
      passes.run(weights, async (run) => visit(await read(run)), passOptions),
    release: () => passes.release(),
  };
}
