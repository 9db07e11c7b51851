import { resolve } from "node:path";
import { FormatError, readJsonFile } from "@isthmus/core";
import { mayBeText } from "@isthmus/data";
import { fingerprintData } from "@isthmus/graph";
import type { GatheredFiles } from "@isthmus/tasks";
import type { DataContext } from "@isthmus/zoo";
import { z } from "zod";
import type { DataOptions } from "../../open/open-data.ts";
import { type MeasuredData, openMeasured } from "../../open/open-measured.ts";
import { assertSameData } from "../../work/assert-same-data.ts";
import { gatherData, gatherTokenizer } from "../../work/gather-inputs.ts";
import { holdExamples } from "../../work/hold-examples.ts";
import { keepLast } from "../../work/keep-last.ts";

/**
 * Examples that pairs are measured on, as the key of a task records them: what is in them counts, not only
 * their names.
 */
export interface PairsData extends DataOptions {
  /** Folder of the tokenizer, for texts. */
  readonly tokenizedBy?: string | undefined;
  readonly digest: string;
  readonly statisticsDigest: string;
}

/** What an architecture says of its data, as plain data without paths. */
const FEEDS = z.strictObject({
  inputs: z.array(z.string()),
  imageShape: z.array(z.int().min(1)).optional(),
  context: z.int().min(1).optional(),
  vocabularySize: z.int().min(1).optional(),
  vocabulary: z.array(z.tuple([z.string(), z.int()])).optional(),
});

/** Examples that were opened, and files that another machine needs to open them again. */
interface OpenedPairsData {
  readonly opened: MeasuredData;
  readonly files: GatheredFiles;
}

/** Describes examples for another machine: paths in parameters of a task, all else in a file of feeds. */
export async function describePairsData(
  { data, recalibrateData, recalibrateExamples, mean, std }: DataOptions,
  { tokenizedBy, vocabulary, ...context }: DataContext,
  { opened, files }: OpenedPairsData,
): Promise<{ readonly data: PairsData; readonly feeds: string }> {
  const isText = [data, recalibrateData].some((name) => name !== undefined && mayBeText(name));
  const tokenizer = isText && tokenizedBy !== undefined ? resolve(tokenizedBy) : undefined;
  return {
    data: {
      ...{ recalibrateExamples, mean, std },
      data: await gatherData(data, files),
      recalibrateData: recalibrateData && (await gatherData(recalibrateData, files)),
      tokenizedBy: tokenizer && (await gatherTokenizer(tokenizer, files)),
      digest: fingerprintData(opened.data),
      statisticsDigest: fingerprintData(opened.statisticsData),
    },
    feeds: JSON.stringify({ ...context, vocabulary: vocabulary && [...vocabulary] }),
  };
}

/** Examples, and the names of the inputs of the graph that they are fed to. */
interface PairsExamples extends MeasuredData {
  readonly inputNames: readonly string[];
}

const keepExamples = keepLast<PairsExamples>();

/**
 * Opens the examples of a task.
 * @param feeds - path of the file of feeds
 * @throws MismatchError if they are others than where the task was made
 */
export async function openPairsData(data: PairsData, feeds: string): Promise<PairsExamples> {
  const read = await readJsonFile(feeds);
  const key = JSON.stringify([process.cwd(), data, read]);
  return keepExamples(key, () => openDescribed(data, read, feeds));
}

async function openDescribed(data: PairsData, read: unknown, path: string): Promise<PairsExamples> {
  const { tokenizedBy, digest, statisticsDigest, ...options } = data;
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
  const opened = await openMeasured(options, context, holdExamples);
  assertSameData(opened.data, digest);
  assertSameData(opened.statisticsData, statisticsDigest);
  return { ...opened, inputNames: inputs };
}
