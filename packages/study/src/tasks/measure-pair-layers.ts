import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type MeasureLayersOptions, measureLayers } from "@isthmus/barrier";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";

/** How the barriers of the layers of two networks are measured. */
export interface MeasurePairLayersParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: Pick<
    MeasureLayersOptions,
    "groups" | "orders" | "points" | "statistics" | "predict" | "directions" | "batchSize" | "seed"
  >;
}

/**
 * Measures barriers between two networks layer by layer; goes on from the journal that an interrupted run
 * left.
 */
export const measurePairLayers: StudyTaskKind<MeasurePairLayersParams> = {
  name: "layers",
  version: 1,
  async run(context, { data, statisticsData, options }, inputs) {
    const { engine, openData, folder, signal, onProgress } = context;
    const pair = await openPair(inputs, engine, signal);
    const inputNames = pair.networks.graph.inputs.map(({ name }) => name);
    const journalPath = join(folder, "journal.jsonl");
    try {
      const measured = await measureLayers(
        { ...pair.networks, engine },
        [pair.networks.a, pair.networks.b],
        await openData(data.name, inputNames),
        {
          ...options,
          statisticsData: statisticsData && (await openData(statisticsData.name, inputNames)),
          journalPath,
          signal,
          onProgress: ({ done }) => onProgress(done),
        },
      );
      await rm(journalPath, { force: true });
      const { a: _, b: __, ...result } = measured;
      return result;
    } finally {
      await pair.close();
    }
  },
};
