import { at } from "@isthmus/core";
import { measureDropoutStability } from "@isthmus/paths";
import { discoverSymmetries } from "@isthmus/symmetry";
import { pathOf } from "@isthmus/tasks";
import { z } from "zod";
import type { DropoutStabilityChoice } from "../description/network-measurement.ts";
import { DROPOUT_STABILITY_FIELDS } from "../schema/dropout-fields.ts";
import { batch, seed } from "../schema/numbers.ts";
import { schemaOf } from "../schema/schema-of.ts";
import { openNetworks } from "./open-networks.ts";
import { assertTaskParams } from "./params/assert-task-params.ts";
import { TASK_DATA } from "./params/task-schema.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";

/** How the dropout stability of a network is measured. */
export interface MeasureNetworkDropoutParams {
  readonly data: TaskData;
  readonly options: DropoutStabilityChoice & { readonly batchSize: number; readonly seed: number };
}

const PARAMS = schemaOf<MeasureNetworkDropoutParams>()(
  z.strictObject({
    data: TASK_DATA,
    options: z.strictObject({ ...DROPOUT_STABILITY_FIELDS, batchSize: batch, seed }),
  }),
);

/** Measures how the loss of a network rises when a share of its units stays. */
export const measureNetworkDropout: StudyTaskKind<MeasureNetworkDropoutParams> = {
  name: "dropout-stability",
  version: 1,
  assertParams: (params) => assertTaskParams("dropout-stability", PARAMS, params),
  async run({ engine, openData, signal, onProgress }, { data, options }, inputs) {
    const { graph, networks, close } = await openNetworks(inputs, [pathOf(inputs, "network")], engine);
    try {
      const inputNames = graph.inputs.map(({ name }) => name);
      const symmetries = await discoverSymmetries({ graph, engine }, { signal });
      const { network: _, ...result } = await measureDropoutStability(
        { graph, engine, symmetries },
        at(networks, 0, "network").network,
        await openData(data.name, inputNames),
        { ...options, signal, onProgress: ({ done }) => onProgress(done) },
      );
      return result;
    } finally {
      await close();
    }
  },
};
