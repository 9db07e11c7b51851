import { mayBeText, openDataSet, openTrainingSplit } from "@isthmus/data";
import { type DataSet, type Graph, limitExamples, type Scaling } from "@isthmus/graph";
import { countBatchNorms, STATISTICS_EXAMPLES, type StatisticsChoice } from "@isthmus/statistics";
import type { DataContext } from "../models/data-context.ts";
import { openTokenizer } from "../models/open-tokenizer.ts";

/** Options for opening examples by name. */
export interface ExamplesReading {
  /** Scaling of bytes. @defaultValue the usual scaling of the data set */
  readonly scaling?: Scaling | undefined;
  /** Called with each data set that is opened. */
  readonly onOpen?: ((data: DataSet) => void) | undefined;
}

/**
 * Opens examples for an architecture; texts are encoded with the tokenizer of its model.
 * @param name - a name or path that `openDataSet` takes
 * @throws InputError if the data are a text, and the model's tokenizer cannot be read
 */
export async function openExamples(
  name: string,
  { tokenizedBy, ...context }: DataContext,
  { scaling, onOpen }: ExamplesReading = {},
): Promise<DataSet> {
  const isEncoded = tokenizedBy !== undefined && mayBeText(name);
  const encode = isEncoded ? await openTokenizer(tokenizedBy) : undefined;
  const data = await openDataSet(name, { scaling, encode, ...context });
  onOpen?.(data);
  return data;
}

/** Names of the examples on which networks are measured. */
export interface ExampleNames extends ExamplesReading {
  /** Name of the examples to evaluate on. */
  readonly data: string;
  /**
   * Name of the examples on which statistics of activations are measured.
   * @defaultValue training examples that belong to `data`; if there are none, `data`
   */
  readonly recalibrateData?: string | undefined;
  /** Number of examples for statistics, from the first. */
  readonly recalibrateExamples?: number | undefined;
  /**
   * Whether a temperature is fitted to the examples for statistics, which must then not be training examples.
   */
  readonly temperature?: boolean | undefined;
}

/** Examples to evaluate on, and examples for statistics if these are named. */
export interface MeasuredExamples {
  /** Examples to evaluate on. */
  readonly data: DataSet;
  /** Examples for statistics; undefined if neither `recalibrateData` nor `recalibrateExamples` is given. */
  readonly statisticsData: DataSet | undefined;
}

/**
 * Opens the examples to evaluate on and, if `names` contain them, the examples on which statistics are
 * measured.
 */
export async function openMeasuredExamples(
  names: ExampleNames,
  context: DataContext,
): Promise<MeasuredExamples> {
  const data = await openExamples(names.data, context, names);
  const isAsked = names.recalibrateData !== undefined || names.recalibrateExamples !== undefined;
  return { data, statisticsData: isAsked ? await openStatisticsExamples(names, context) : undefined };
}

/**
 * Opens the default examples on which statistics of networks are measured: training examples that belong to
 * the evaluated ones.
 * @returns undefined if there are none, or if no statistics are measured: the networks have no norms, or keep
 *   their statistics
 */
export async function openUnscoredExamples(
  graph: Graph,
  names: ExampleNames,
  { context, statistics }: { readonly context: DataContext; readonly statistics: StatisticsChoice },
): Promise<DataSet | undefined> {
  const ofNorms = statistics === "auto" || statistics === "recalibrate";
  const isMeasured = ofNorms ? countBatchNorms(graph) > 0 : statistics !== "keep";
  return isMeasured ? openUnscored(names, context, STATISTICS_EXAMPLES) : undefined;
}

/** Opens the first training examples that belong to the evaluated ones, so that none of them is scored. */
async function openUnscored(
  { data, scaling, temperature }: ExampleNames,
  { tokenizedBy, ...read }: DataContext,
  examples: number,
): Promise<DataSet | undefined> {
  if (temperature || tokenizedBy !== undefined) return undefined;
  return openTrainingSplit(data, examples, { scaling, ...read });
}

async function openStatisticsExamples(names: ExampleNames, context: DataContext): Promise<DataSet> {
  const { data, recalibrateData = data, recalibrateExamples } = names;
  const unscored =
    names.recalibrateData === undefined
      ? await openUnscored(names, context, recalibrateExamples ?? STATISTICS_EXAMPLES)
      : undefined;
  if (unscored !== undefined && unscored.size >= (recalibrateExamples ?? 0)) return unscored;
  const whole = recalibrateData.replace(/@\d+$/, "");
  if (recalibrateExamples !== undefined)
    return openExamples(`${whole}@${recalibrateExamples}`, context, names);
  const examples = await openExamples(recalibrateData, context, names);
  return whole === recalibrateData
    ? limitExamples("measure statistics", examples, STATISTICS_EXAMPLES)
    : examples;
}
