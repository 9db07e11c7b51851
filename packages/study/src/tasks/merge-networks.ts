import { at, type Checkpoint, FormatError, readJsonFile, sumOf } from "@isthmus/core";
import { batch, schemaOf, takesParams } from "@isthmus/forms";
import { type Architecture, createEvaluator } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import {
  type ChosenStatistics,
  type CorrectionOptions,
  chooseStatistics,
  createCorrection,
  holdInMemory,
  STATISTICS_CHOICES,
  type StatisticsChoice,
} from "@isthmus/statistics";
import { decodeAlignment, discoverSymmetries, permute, wholeSpec } from "@isthmus/symmetry";
import { pathsOf, type TaskPaths } from "@isthmus/tasks";
import * as z from "zod";
import { MEASURED_LOSS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** Parameters of a task that merges networks and measures the merged one. */
export interface MergeNetworksParams extends MeasuredLoss {
  /** Examples to measure on. */
  readonly data: TaskData;
  /** Examples that statistics are measured on; absent for the first ones of `data`. */
  readonly statisticsData?: TaskData;
  /** Correction of the statistics of activations, and the number of examples in one engine call. */
  readonly options: { readonly statistics: StatisticsChoice; readonly batchSize: number };
}

const PARAMS = schemaOf<MergeNetworksParams>()(
  z.strictObject({
    data: TASK_DATA,
    ...MEASURED_LOSS,
    statisticsData: TASK_DATA.optional(),
    options: z.strictObject({ statistics: z.enum(STATISTICS_CHOICES), batchSize: batch }),
  }),
);

/**
 * Task that measures loss and accuracy of the mean of networks, after the mean's statistics of activations
 * are corrected. If the task reads alignments, each network is permuted by its own before.
 */
export const mergeNetworks: StudyTaskKind<MergeNetworksParams> = {
  name: "merge",
  version: 1,
  ...takesParams("merge", PARAMS),
  async run({ engine, openData, signal, onProgress }, { data, loss, statisticsData, options }, inputs) {
    const { graph, networks, close } = await openNetworks(inputs, pathsOf(inputs, "networks"), engine);
    const architecture = { graph, engine };
    const { batchSize } = options;
    try {
      const inputNames = graph.inputs.map(({ name }) => name);
      const examples = await openData(data.name, inputNames);
      const chosen = chooseStatistics(graph, options.statistics, {
        data: examples,
        statisticsData: statisticsData && (await openData(statisticsData.name, inputNames)),
      });
      const bound = networks.map(({ network }) => network);
      const placed = await placeNetworks(architecture, bound, inputs, signal);
      const merged = await mergeCorrected(architecture, placed, { ...chosen, batchSize, signal });
      onProgress(0.5);
      const evaluator = await createEvaluator(architecture, examples, { batchSize, loss });
      try {
        const { loss, right } = await evaluator.evaluate(merged, signal);
        const accuracy = sumOf(right) / examples.size;
        const of = { networks: placed.length, statistics: chosen.statistics };
        return { kind: "merge", ...of, loss, accuracy, data: data.name, examples: examples.size };
      } finally {
        await evaluator.release();
      }
    } finally {
      await close();
    }
  },
};

/** Returns the mean of networks in memory, with corrected statistics of activations. */
async function mergeCorrected(
  architecture: Architecture,
  networks: readonly Checkpoint[],
  {
    statistics,
    statisticsData,
    batchSize,
    signal,
  }: ChosenStatistics & Pick<CorrectionOptions, "batchSize" | "signal">,
): Promise<Checkpoint> {
  const merged = await holdInMemory(architecture, average(networks));
  if (statisticsData === undefined) return merged;
  const options = { attempt: "merge networks", statistics, networks, batchSize, signal };
  const correct = await createCorrection(architecture, statisticsData, options);
  const shares = networks.map(() => 1 / networks.length);
  return correct(merged, shares);
}

/** Permutes each network by its alignment, if the task reads alignments. */
async function placeNetworks(
  architecture: Architecture,
  networks: readonly Checkpoint[],
  inputs: TaskPaths,
  signal: AbortSignal,
): Promise<readonly Checkpoint[]> {
  const path = inputs["universe"]?.[0];
  if (path === undefined) return networks;
  const alignments = await readJsonFile(path);
  if (!Array.isArray(alignments) || alignments.length !== networks.length) {
    throw new FormatError(
      `Cannot merge networks as "${path}" must be a list of ${networks.length} alignments: it is not`,
      { format: "alignments" },
    );
  }
  const spec = wholeSpec(await discoverSymmetries(architecture, { signal }));
  return networks.map((network, i) =>
    permute(decodeAlignment(spec, at(alignments as readonly unknown[], i, "alignment")), network, spec),
  );
}
