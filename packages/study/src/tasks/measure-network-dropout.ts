import { measureDropoutStability } from "@isthmus/paths";
import { discoverSymmetries } from "@isthmus/symmetry";
import { z } from "zod";
import type { DropoutStabilityChoice } from "../description/network-measurement.ts";
import { DROPOUT_STABILITY_FIELDS } from "../schema/dropout-fields.ts";
import { LOSS_FIELDS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { batch, seed } from "../schema/numbers.ts";
import { schemaOf } from "../schema/schema-of.ts";
import { withNetwork } from "./open-networks.ts";
import { takesParams } from "./params/takes-params.ts";
import { TASK_DATA } from "./params/task-schema.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";

/** How the dropout stability of a network is measured. */
export interface MeasureNetworkDropoutParams {
  readonly data: TaskData;
  readonly options: DropoutStabilityChoice &
    MeasuredLoss & { readonly batchSize: number; readonly seed: number };
}

const PARAMS = schemaOf<MeasureNetworkDropoutParams>()(
  z.strictObject({
    data: TASK_DATA,
    options: z.strictObject({ ...DROPOUT_STABILITY_FIELDS, ...LOSS_FIELDS, batchSize: batch, seed }),
  }),
);

/** Measures how the loss of a network rises when a share of its units stays. */
export const measureNetworkDropout: StudyTaskKind<MeasureNetworkDropoutParams> = {
  name: "dropout-stability",
  version: 1,
  ...takesParams("dropout-stability", PARAMS),
  run: ({ engine, openData, signal, onProgress }, { data, options }, inputs) =>
    withNetwork(inputs, engine, async ({ architecture, network, inputNames }) => {
      const symmetries = await discoverSymmetries(architecture, { signal });
      const { network: _, ...result } = await measureDropoutStability(
        { ...architecture, symmetries },
        network,
        await openData(data.name, inputNames),
        { ...options, signal, onProgress: ({ done }) => onProgress(done) },
      );
      return result;
    }),
};
