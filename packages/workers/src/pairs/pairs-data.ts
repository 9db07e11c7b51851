import { resolve } from "node:path";
import { FormatError, readJsonFile } from "@isthmus/core";
import { mayBeText } from "@isthmus/data";
import { type DataSet, fingerprintData, limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { GatheredFiles } from "@isthmus/tasks";
import { type DataContext, type ExampleNames, openMeasuredExamples } from "@isthmus/zoo";
import * as z from "zod";
import { assertSameData } from "../kinds/assert-same-data.ts";
import { type DescribedScaling, scalingOf } from "../kinds/described-scaling.ts";
import { holdExamples } from "../kinds/hold-examples.ts";
import { keepLast } from "../kinds/keep-last.ts";
import { gatherData, gatherTokenizer } from "../queue/gather-inputs.ts";

/**
 * Examples that pairs are measured on, as the key of a task records them: by digests of their contents, and
 * not by their names alone.
 */
export interface PairsData
  extends Pick<ExampleNames, "data" | "recalibrateData" | "recalibrateExamples">,
    DescribedScaling {
  /** Folder of the tokenizer, for texts. */
  readonly tokenizedBy?: string | undefined;
  /** Fingerprint of the examples that pairs are measured on, in hexadecimal. */
  readonly digest: string;
  /** Fingerprint of the examples that statistics of norms are measured on, in hexadecimal. */
  readonly statisticsDigest: string;
}

/** Schema of an architecture's demands on its data, as plain data without paths. */
const FEEDS = z.strictObject({
  inputs: z.array(z.string()),
  imageShape: z.array(z.int().min(1)).optional(),
  context: z.int().min(1).optional(),
  vocabularySize: z.int().min(1).optional(),
  vocabulary: z.array(z.tuple([z.string(), z.int()])).optional(),
});

/** Opened examples that pairs are measured on, and the names by which another machine opens them again. */
export interface NamedExamples {
  /** Examples that pairs are measured on. */
  readonly data: DataSet;
  /** Examples that statistics are measured on. @defaultValue the first of `data` */
  readonly statisticsData?: DataSet | undefined;
  /** Names of the data sets, and scaling of their inputs, as the user gave them. */
  readonly names: ExampleNames;
  /** Demands of the architecture on its data. */
  readonly context: DataContext;
}

/**
 * Describes examples for another machine: paths are put into the parameters of a task, everything else into a
 * file of feeds.
 */
export async function describePairsData(
  { data: opened, statisticsData, names, context }: NamedExamples,
  files: GatheredFiles,
): Promise<{ readonly data: PairsData; readonly feeds: string }> {
  const { data, recalibrateData, recalibrateExamples, scaling } = names;
  const { tokenizedBy, vocabulary, ...feeds } = context;
  const isText = [data, recalibrateData].some((name) => name !== undefined && mayBeText(name));
  const tokenizer = isText && tokenizedBy !== undefined ? resolve(tokenizedBy) : undefined;
  return {
    data: {
      recalibrateExamples,
      mean: scaling?.mean,
      std: scaling?.std,
      data: await gatherData(data, files),
      recalibrateData: recalibrateData && (await gatherData(recalibrateData, files)),
      tokenizedBy: tokenizer && (await gatherTokenizer(tokenizer, files)),
      digest: fingerprintData(opened),
      statisticsDigest: fingerprintData(statisticsData ?? firstOf(opened)),
    },
    feeds: JSON.stringify({ ...feeds, vocabulary: vocabulary && [...vocabulary] }),
  };
}

/** Returns the examples that statistics are measured on if no others are named. */
const firstOf = (data: DataSet): DataSet => limitExamples("measure statistics", data, STATISTICS_EXAMPLES);

/** Examples, and the names of the inputs of the graph that they are fed to. */
interface PairsExamples {
  readonly data: DataSet;
  readonly statisticsData: DataSet;
  readonly inputNames: readonly string[];
}

const keepExamples = keepLast<PairsExamples>();

/**
 * Opens the examples of a task.
 * @param feeds - path of the file of feeds
 * @throws MismatchError if they differ from the examples where the task was made
 */
export async function openPairsData(data: PairsData, feeds: string): Promise<PairsExamples> {
  const read = await readJsonFile(feeds);
  const key = JSON.stringify([process.cwd(), data, read]);
  return keepExamples(key, () => openDescribed(data, read, feeds));
}

async function openDescribed(described: PairsData, read: unknown, path: string): Promise<PairsExamples> {
  const { tokenizedBy, digest, statisticsDigest, mean, std, ...names } = described;
  const { data: feeds, error } = FEEDS.safeParse(read);
  if (feeds === undefined) {
    throw new FormatError(
      `Cannot read "${path}" as it must say how data are fed to a graph: ${z.prettifyError(error)}`,
      { format: "feeds" },
    );
  }
  const { inputs, imageShape, context: tokens, vocabulary, vocabularySize } = feeds;
  const context: DataContext = {
    inputs,
    ...(imageShape === undefined ? {} : { imageShape }),
    ...(tokens === undefined ? {} : { context: tokens }),
    ...(vocabularySize === undefined ? {} : { vocabularySize }),
    ...(vocabulary === undefined ? {} : { vocabulary: new Map(vocabulary) }),
    ...(tokenizedBy === undefined ? {} : { tokenizedBy }),
  };
  const scaling = scalingOf({ mean, std });
  const opened = await openMeasuredExamples({ ...names, scaling }, context);
  const data = holdExamples(opened.data);
  const statisticsData =
    opened.statisticsData === undefined ? firstOf(data) : holdExamples(opened.statisticsData);
  assertSameData(data, digest);
  assertSameData(statisticsData, statisticsDigest);
  return { data, statisticsData, inputNames: inputs };
}
