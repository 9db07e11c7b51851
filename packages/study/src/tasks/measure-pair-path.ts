import { batch, schemaOf, seed, takesParams } from "@isthmus/forms";
import { measureDropoutPath } from "@isthmus/paths";
import { discoverSymmetries } from "@isthmus/symmetry";
import { z } from "zod";
import type { DropoutPathChoice } from "../description/path-measurements.ts";
import { DROPOUT_PATH_FIELDS } from "../schema/dropout-fields.ts";
import { LOSS_FIELDS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How a path through networks without half of their units is built and measured. */
export interface MeasurePairPathParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: DropoutPathChoice & MeasuredLoss & { readonly batchSize: number; readonly seed: number };
}

const PARAMS = schemaOf<MeasurePairPathParams>()(
  z.strictObject({
    data: TASK_DATA,
    statisticsData: TASK_DATA.optional(),
    options: z.strictObject({ ...DROPOUT_PATH_FIELDS, ...LOSS_FIELDS, batchSize: batch, seed }),
  }),
);

/** Builds a path between two networks through networks without half of their units, and measures it. */
export const measurePairPath: StudyTaskKind<MeasurePairPathParams> = {
  name: "dropout-path",
  version: 2,
  ...takesParams("dropout-path", PARAMS),
  async run({ engine, openData, signal, onProgress }, { data, statisticsData, options }, inputs) {
    const pair = await openPair(inputs, engine, signal);
    const { graph, a, b } = pair.networks;
    const inputNames = graph.inputs.map(({ name }) => name);
    try {
      const symmetries = await discoverSymmetries({ graph, engine }, { signal });
      const examples = await openData(data.name, inputNames);
      const {
        a: _,
        b: __,
        ...result
      } = await measureDropoutPath({ graph, engine, symmetries }, [a, b], examples, {
        ...options,
        statisticsData: statisticsData && (await openData(statisticsData.name, inputNames)),
        signal,
        onProgress: ({ done }) => onProgress(done),
      });
      return result;
    } finally {
      await pair.close();
    }
  },
};
