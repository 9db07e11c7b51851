import { measureCurvature } from "@isthmus/curvature";
import { batch, schemaOf, seed, takesParams } from "@isthmus/forms";
import { z } from "zod";
import type { CurvatureChoice } from "../description/network-measurement.ts";
import { CURVATURE_FIELDS } from "../schema/curvature-fields.ts";
import { LOSS_FIELDS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { withNetwork } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How the curvature around a network is measured. */
export interface MeasureNetworkCurvatureParams {
  readonly data: TaskData;
  readonly options: CurvatureChoice & MeasuredLoss & { readonly batchSize: number; readonly seed: number };
}

const PARAMS = schemaOf<MeasureNetworkCurvatureParams>()(
  z.strictObject({
    data: TASK_DATA,
    options: z.strictObject({ ...CURVATURE_FIELDS, ...LOSS_FIELDS, batchSize: batch, seed }),
  }),
);

/** Measures the curvature of the loss around a network. */
export const measureNetworkCurvature: StudyTaskKind<MeasureNetworkCurvatureParams> = {
  name: "curvature",
  version: 1,
  ...takesParams("curvature", PARAMS),
  run: ({ engine, openData, signal, onProgress }, { data, options }, inputs) =>
    withNetwork(inputs, engine, async ({ architecture, network, inputNames }) => {
      const examples = await openData(data.name, inputNames);
      const { network: _, ...result } = await measureCurvature(architecture, network, examples, {
        ...options,
        signal,
        onProgress: ({ done }) => onProgress(done),
      });
      return result;
    }),
};
