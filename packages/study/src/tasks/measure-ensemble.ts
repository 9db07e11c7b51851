import { at } from "@isthmus/core";
import { averagePredictions, predictionQuality, readLabels } from "@isthmus/ensemble";
import { batch, schemaOf, takesParams } from "@isthmus/forms";
import { pathsOf } from "@isthmus/tasks";
import * as z from "zod";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** Parameters of a task that measures an ensemble. */
export interface MeasureEnsembleParams {
  /** Examples to measure on. */
  readonly data: TaskData;
  /** Number of examples in one engine call. */
  readonly options: { readonly batchSize: number };
}

const PARAMS = schemaOf<MeasureEnsembleParams>()(
  z.strictObject({ data: TASK_DATA, options: z.strictObject({ batchSize: batch }) }),
);

/** Task that measures loss and accuracy of the mean of the probabilities that networks predict. */
export const measureEnsemble: StudyTaskKind<MeasureEnsembleParams> = {
  name: "ensemble",
  version: 1,
  ...takesParams("ensemble", PARAMS),
  async run({ engine, openData, signal, onProgress }, { data, options: { batchSize } }, inputs) {
    const { graph, networks, close } = await openNetworks(inputs, pathsOf(inputs, "networks"), engine);
    try {
      const examples = await openData(
        data.name,
        graph.inputs.map(({ name }) => name),
      );
      let finished = 0;
      const predictions = await averagePredictions(
        { graph, engine, data: [examples] },
        networks.map(({ network }) => network),
        { batchSize, signal, onNetwork: () => onProgress(++finished / networks.length) },
      );
      const { nll, accuracy } = predictionQuality(at(predictions, 0, "data set"), readLabels(examples));
      const of = { networks: networks.length, data: data.name, examples: examples.size };
      return { kind: "ensemble", ...of, loss: nll, accuracy };
    } finally {
      await close();
    }
  },
};
