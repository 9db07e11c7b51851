import { mayBeText, openDataSet, openTrainingSplit } from "@isthmus/data";
import { type DataSet, type Graph, limitExamples, type Scaling } from "@isthmus/graph";
import { countBatchNorms, STATISTICS_EXAMPLES, type StatisticsChoice } from "@isthmus/statistics";
import type { DataContext } from "../models/data-context.ts";
import { openTokenizer } from "../models/open-tokenizer.ts";

/** How examples are read. */
export interface ExamplesReading {
  /** How bytes are scaled. @defaultValue as usual for the data set */
  readonly scaling?: Scaling | undefined;
  /** Called with each data set that is opened by its name. */
  readonly onOpen?: ((data: DataSet) => void) | undefined;
}

/**
 * Opens examples for an architecture, a text with the tokenizer of its model.
 * @param name - a name or path that `openDataSet` takes
 * @throws InputError if it is a text, and the model's tokenizer cannot be read
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

/** Names of the examples that networks are measured on. */
export interface ExampleNames extends ExamplesReading {
  /** The examples to evaluate on. */
  readonly data: string;
  /**
   * The examples that statistics of activations are measured on.
   * @defaultValue training examples that belong to `data`; if there are none, `data`
   */
  readonly recalibrateData?: string | undefined;
  /** Number of examples for statistics, from the first. */
  readonly recalibrateExamples?: number | undefined;
  /** Whether a temperature is fitted to the examples for statistics, which must be unseen then. */
  readonly temperature?: boolean | undefined;
}

/** Examples to evaluate on, and examples for statistics if names ask for some. */
export interface MeasuredExamples {
  readonly data: DataSet;
  /** Undefined if neither `recalibrateData` nor `recalibrateExamples` is given. */
  readonly statisticsData: DataSet | undefined;
}

/** Opens the examples to evaluate on and, if `names` ask for them, the examples to measure statistics on. */
export async function openMeasuredExamples(
  names: ExampleNames,
  context: DataContext,
): Promise<MeasuredExamples> {
  const data = await openExamples(names.data, context, names);
  const isAsked = names.recalibrateData !== undefined || names.recalibrateExamples !== undefined;
  return { data, statisticsData: isAsked ? await openStatisticsExamples(names, context) : undefined };
}

/**
 * Opens the examples that statistics of networks are measured on if nobody names any: training examples that
 * belong to the evaluated ones.
 * @returns undefined if there are none, or if nothing is measured: the networks have no norms, or keep theirs
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

/** Opens the first training examples that belong to the evaluated ones, so that none is scored. */
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
