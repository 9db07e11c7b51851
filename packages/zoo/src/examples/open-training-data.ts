import { findSplits, splitDataSetName } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";
import type { DataContext } from "../models/data-context.ts";
import { type ExamplesReading, openExamples } from "./open-examples.ts";

/** Names of the data to train and evaluate on. */
export interface TrainingDataNames extends ExamplesReading {
  /** Name of the data to train on. */
  readonly data: string;
  /** Name of the evaluation data, or `none`. @defaultValue another split of `data` */
  readonly evalData?: string | undefined;
}

/** The examples to train on, and to evaluate on after every epoch. */
export interface TrainingData {
  /** Examples to train on. */
  readonly data: DataSet;
  /** Examples to evaluate on after every epoch; undefined if nothing is evaluated. */
  readonly evaluationData: DataSet | undefined;
}

/** Names of the examples of a training. */
interface NamedTrainingData {
  readonly training: string;
  /** Name of the examples to evaluate on; undefined if nothing is evaluated. */
  readonly evaluated: string | undefined;
}

/**
 * Finds the names of the data of a training: the training split unless the name says another. Networks are
 * evaluated on the test split of data sets that have one, else on their validation split, with the same cue
 * if there is one, unless the options say something else.
 */
export async function nameTrainingData({
  data,
  evalData,
}: Pick<TrainingDataNames, "data" | "evalData">): Promise<NamedTrainingData> {
  const { source, split, range, ending } = splitDataSetName(data);
  const splits: readonly string[] = split === "test" ? [] : await findSplits(data);
  const other = ["test", "val"].find((name) => name !== split && splits.includes(name));
  const evaluated = evalData ?? (other === undefined ? "none" : `${source}:${other}${ending}`);
  return {
    training: `${source}:${split ?? "train"}${range}${ending}`,
    evaluated: evaluated === "none" ? undefined : evaluated,
  };
}

/** Opens the data of a training, which {@link nameTrainingData} names. */
export async function openTrainingData(
  names: TrainingDataNames,
  context: DataContext = {},
): Promise<TrainingData> {
  const { training, evaluated } = await nameTrainingData(names);
  return {
    data: await openExamples(training, context, names),
    evaluationData: evaluated === undefined ? undefined : await openExamples(evaluated, context, names),
  };
}

/** Returns the name of the training split of data that have one; undefined for others. */
export async function nameTrainingSplit(name: string): Promise<string | undefined> {
  const { source } = splitDataSetName(name);
  return (await findSplits(name)).includes("train") ? `${source}:train` : undefined;
}
