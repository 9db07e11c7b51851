import { type MeasureBarrierOptions, measureBarrier } from "@isthmus/barrier";
import { batch, places, schemaOf, takesParams } from "@isthmus/forms";
import { PATH_KINDS } from "@isthmus/interpolation";
import { STATISTICS_CHOICES } from "@isthmus/statistics";
import { z } from "zod";
import { LOSS_FIELDS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How the barrier between two networks is measured. */
export interface MeasurePairParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: Pick<
    MeasureBarrierOptions,
    "points" | "refine" | "path" | "statistics" | "temperature" | "batchSize"
  > &
    MeasuredLoss;
}

const PARAMS = schemaOf<MeasurePairParams>()(
  z.strictObject({
    data: TASK_DATA,
    statisticsData: TASK_DATA.optional(),
    options: z.strictObject({
      ...LOSS_FIELDS,
      points: places(3).optional(),
      refine: places(0).optional(),
      path: z.enum(PATH_KINDS).optional(),
      statistics: z.enum(STATISTICS_CHOICES).optional(),
      temperature: z.boolean().optional(),
      batchSize: batch.optional(),
    }),
  }),
);

/** Measures the barrier between two networks, the second aligned where an alignment is given. */
export const measurePair: StudyTaskKind<MeasurePairParams> = {
  name: "barrier",
  version: 1,
  ...takesParams("barrier", PARAMS),
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
