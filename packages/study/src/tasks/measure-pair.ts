import { type MeasureBarrierOptions, measureBarrier } from "@isthmus/barrier";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";

/** How the barrier between two networks is measured. */
export interface MeasurePairParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: Pick<
    MeasureBarrierOptions,
    "points" | "refine" | "path" | "statistics" | "temperature" | "batchSize"
  >;
}

/** Measures the barrier between two networks, the second aligned where an alignment is given. */
export const measurePair: StudyTaskKind<MeasurePairParams> = {
  name: "barrier",
  version: 1,
  async run({ engine, openData, signal, onProgress }, { data, statisticsData, options }, inputs) {
    const pair = await openPair(inputs, engine, signal);
    const inputNames = pair.networks.graph.inputs.map(({ name }) => name);
    try {
      const {
        a: _,
        b: __,
        ...result
      } = await measureBarrier(
        { ...pair.networks, engine },
        [pair.networks.a, pair.networks.b],
        await openData(data.name, inputNames),
        {
          ...options,
          statisticsData: statisticsData && (await openData(statisticsData.name, inputNames)),
          signal,
          onProgress: ({ done }) => onProgress(done),
        },
      );
      return result;
    } finally {
      await pair.close();
    }
  },
};
