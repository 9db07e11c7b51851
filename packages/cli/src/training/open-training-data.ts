import { splitDataSetName } from "@isthmus/data";
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
 * evaluated on the test split of data sets that have one (MNIST, Fashion-MNIST, texts), with the same cue if
 * there is one, unless the options say something else.
 */
export async function openTrainingData(
  options: TrainingDataOptions,
  context: DataContext = {},
): Promise<TrainingData> {
  const { source, split, range, ending } = splitDataSetName(options.data);
  const published = isPublished(source) && split !== "test";
  const evaluated = options.evalData ?? (published ? `${source}:test${ending}` : "none");
  return {
    data: await openExamples(`${source}:${split ?? "train"}${range}${ending}`, options, context),
    evaluationData: evaluated === "none" ? undefined : await openExamples(evaluated, options, context),
  };
}

/** Returns the name of the training split of data that have two; undefined for others. */
export function nameTrainingSplit(name: string): string | undefined {
  const { source } = splitDataSetName(name);
  return isPublished(source) ? `${source}:train` : undefined;
}

/** Returns whether data come in two splits: MNIST, Fashion-MNIST, and texts. */
const isPublished = (source: string): boolean => /^((fashion-)?mnist(:|$)|text:)/.test(source);
