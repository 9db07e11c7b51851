import { at, type Checkpoint, FormatError, readJsonFile } from "@isthmus/core";
import { type Architecture, createEvaluator } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { chooseStatistics, createCorrection, holdInMemory, type StatisticsChoice } from "@isthmus/statistics";
import { decodeAlignment, discoverSymmetries, permute } from "@isthmus/symmetry";
import { pathsOf, type TaskPaths } from "@isthmus/tasks";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";

/** How networks are merged and measured. */
export interface MergeNetworksParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: { readonly statistics: StatisticsChoice; readonly batchSize: number };
}

/**
 * Measures loss and accuracy of the mean of networks, each permuted by its alignment where the task reads
 * alignments, after its statistics of activations are corrected.
 */
export const mergeNetworks: StudyTaskKind<MergeNetworksParams> = {
  name: "merge",
  version: 1,
  async run({ engine, openData, signal, onProgress }, { data, statisticsData, options }, inputs) {
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
      let merged = await holdInMemory(architecture, average(placed));
      if (chosen.statisticsData !== undefined) {
        const correct = await createCorrection(architecture, chosen.statisticsData, {
          ...{
            attempt: "merge networks",
            statistics: chosen.statistics,
            networks: placed,
            batchSize,
            signal,
          },
        });
        const shares = placed.map(() => 1 / placed.length);
        merged = await correct(merged, shares);
      }
      onProgress(0.5);
      const evaluator = await createEvaluator(architecture, examples, { batchSize });
      try {
        const { loss, error } = await evaluator.evaluate(merged, signal);
        const of = { networks: placed.length, statistics: chosen.statistics };
        return { kind: "merge", ...of, loss, accuracy: 1 - error, data: data.name, examples: examples.size };
      } finally {
        await evaluator.release();
      }
    } finally {
      await close();
    }
  },
};

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
  const { spec } = await discoverSymmetries(architecture, { signal });
  return networks.map((network, i) =>
    permute(decodeAlignment(spec, at(alignments as readonly unknown[], i, "alignment")), network, spec),
  );
}
