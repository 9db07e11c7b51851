import { splitCue } from "@isthmus/data";
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
  const { source, split, count, cue } = parseName(options.data);
  const published = isPublished(source) && split !== "test";
  const evaluated = options.evalData ?? (published ? `${source}:test${cue}` : "none");
  return {
    data: await openExamples(`${source}:${split ?? "train"}${count}${cue}`, options, context),
    evaluationData: evaluated === "none" ? undefined : await openExamples(evaluated, options, context),
  };
}

/** Returns the name of the training split of data that have two; undefined for others. */
export function nameTrainingSplit(name: string): string | undefined {
  const { source } = parseName(name);
  return isPublished(source) ? `${source}:train` : undefined;
}

/** Returns whether data come in two splits: MNIST, Fashion-MNIST, and texts. */
const isPublished = (source: string): boolean => /^((fashion-)?mnist(:|$)|text:)/.test(source);

/** Splits a name of data into source, split if it says one, count or range, and cue, which may be empty. */
function parseName(name: string): { source: string; split: string | undefined; count: string; cue: string } {
  const { name: plain } = splitCue(name);
  const [, source = "", split, count = ""] =
    /^(.*?)(?::(test|train))?(@(?:\d+\.\.)?\d+)?$/s.exec(plain) ?? [];
  return { source, split, count, cue: name.slice(plain.length) };
}
