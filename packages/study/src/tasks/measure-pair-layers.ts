import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CUMULATIVE_ORDERS, type MeasureLayersOptions, measureLayers } from "@isthmus/barrier";
import { batch, examples, places, schemaOf, seed, takesParams, tries } from "@isthmus/forms";
import { STATISTICS_CHOICES } from "@isthmus/statistics";
import { z } from "zod";
import { LAYER_PATTERNS } from "../schema/layer-patterns.ts";
import { LOSS_FIELDS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How the barriers of the layers of two networks are measured. */
export interface MeasurePairLayersParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: Pick<
    MeasureLayersOptions,
    "groups" | "orders" | "points" | "statistics" | "predict" | "directions" | "batchSize" | "seed"
  > &
    MeasuredLoss;
}

const PARAMS = schemaOf<MeasurePairLayersParams>()(
  z.strictObject({
    data: TASK_DATA,
    statisticsData: TASK_DATA.optional(),
    options: z.strictObject({
      ...LOSS_FIELDS,
      groups: LAYER_PATTERNS.optional(),
      orders: z.array(z.enum(CUMULATIVE_ORDERS)).max(CUMULATIVE_ORDERS.length).optional(),
      points: places(3).optional(),
      statistics: z.enum(STATISTICS_CHOICES).optional(),
      predict: examples(0).optional(),
      directions: tries(0).optional(),
      batchSize: batch.optional(),
      seed: seed.optional(),
    }),
  }),
);

/**
 * Measures barriers between two networks layer by layer; goes on from the journal that an interrupted run
 * left.
 */
export const measurePairLayers: StudyTaskKind<MeasurePairLayersParams> = {
  name: "layers",
  version: 1,
  ...takesParams("layers", PARAMS),
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
