import type { DataSet } from "@isthmus/graph";
import type { DataContext } from "@isthmus/zoo";
import { openExamples } from "../open/open-data.ts";

/** Options of the command line that say which data are trained and evaluated on. */
export interface TrainingDataOptions {
  readonly data: string;
  /** Name of the evaluation data, or `none`. */
  readonly evalData?: string | undefined;
  readonly mean?: number | undefined;
  readonly std?: number | undefined;
}

/** The examples to train on, and to evaluate on after every epoch. */
export interface TrainingData {
  readonly data: DataSet;
  readonly evaluationData: DataSet | undefined;
}

/**
 * Opens the data of a training: the training split unless the name says another. Networks are
 * evaluated on the test split of data sets that have one (MNIST, Fashion-MNIST, texts), unless the
 * options say something else.
 */
export async function openTrainingData(
  options: TrainingDataOptions,
  context: DataContext = {},
): Promise<TrainingData> {
  const { source, split, count } = parseName(options.data);
  const published = /^((fashion-)?mnist(:|$)|text:)/.test(source) && split !== "test";
  const evaluated = options.evalData ?? (published ? `${source}:test` : "none");
  return {
    data: await openExamples(`${source}:${split ?? "train"}${count}`, options, context),
    evaluationData: evaluated === "none" ? undefined : await openExamples(evaluated, options, context),
  };
}

/**
 * Splits the name of a data set into its source, the split if it says one, and `@N`, `@FROM..TO` or an empty
 * text.
 */
function parseName(name: string): { source: string; split: string | undefined; count: string } {
  const [, source = "", split, count = ""] = /^(.*?)(?::(test|train))?(@(?:\d+\.\.)?\d+)?$/s.exec(name) ?? [];
  return { source, split, count };
}
