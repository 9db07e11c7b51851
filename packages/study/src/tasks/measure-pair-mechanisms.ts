import { batch, schemaOf, takesParams, text } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { measureMechanisms } from "@isthmus/mechanisms";
import { z } from "zod";
import type { MechanismsChoice } from "../description/path-measurements.ts";
import { MECHANISMS_FIELDS } from "../schema/dropout-fields.ts";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How it is measured whether two networks predict by the same mechanisms. */
export interface MeasurePairMechanismsParams {
  /** Data sets in the order of the result, each with its name in it. */
  readonly sets: readonly { readonly name: string; readonly data: TaskData }[];
  readonly statisticsData?: TaskData;
  readonly options: MechanismsChoice & { readonly batchSize: number };
}

const PARAMS = schemaOf<MeasurePairMechanismsParams>()(
  z.strictObject({
    sets: z.array(z.strictObject({ name: text, data: TASK_DATA })),
    statisticsData: TASK_DATA.optional(),
    options: z.strictObject({ ...MECHANISMS_FIELDS, batchSize: batch }),
  }),
);

/** Measures loss and error between two networks on several data sets, the second aligned if asked for. */
export const measurePairMechanisms: StudyTaskKind<MeasurePairMechanismsParams> = {
  name: "mechanisms",
  version: 1,
  ...takesParams("mechanisms", PARAMS),
  async run({ engine, openData, signal, onProgress }, { sets, statisticsData, options }, inputs) {
    const pair = await openPair(inputs, engine, signal);
    const { graph, a, b } = pair.networks;
    const inputNames = graph.inputs.map(({ name }) => name);
    try {
      const opened: Record<string, DataSet> = {};
      for (const { name, data } of sets) opened[name] = await openData(data.name, inputNames);
      const {
        a: _,
        b: __,
        ...result
      } = await measureMechanisms({ graph, engine }, [a, b], opened, {
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
