import { rm } from "node:fs/promises";
import { join } from "node:path";
import { measureCurve, trainCurve } from "@isthmus/curve";
import { batch, takesParams } from "@isthmus/forms";
import { z } from "zod";
import type { CurveChoice } from "../description/path-measurements.ts";
import { TRAINING_PARAMS, type TrainingParams } from "../networks/training-shape.ts";
import { CURVE_FIELDS } from "../schema/dropout-fields.ts";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How a curve between two networks is trained and measured. */
export interface TrainPairCurveParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly trainingData: TaskData;
  readonly options: Required<CurveChoice> & {
    readonly training: TrainingParams;
    readonly batchSize: number;
  };
}

const PARAMS = z.strictObject({
  data: TASK_DATA,
  statisticsData: TASK_DATA.optional(),
  trainingData: TASK_DATA,
  options: z.strictObject({
    ...CURVE_FIELDS,
    training: TRAINING_PARAMS,
    batchSize: batch,
  }),
}) as z.ZodType as z.ZodType<TrainPairCurveParams>;

/** Share of the work that training takes, roughly: for the progress. */
const TRAINING = 0.8;

/**
 * Trains a curve of low loss between two networks, and measures it beside the straight line; goes on from the
 * state that an interrupted run left.
 */
export const trainPairCurve: StudyTaskKind<TrainPairCurveParams> = {
  name: "curve",
  version: 2,
  ...takesParams("curve", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params, inputs) {
    const { data, statisticsData, trainingData, options } = params;
    const { training, curve, bends, points, statistics, batchSize } = options;
    const statePath = join(folder, "state.safetensors");
    const pair = await openPair(inputs, engine, signal);
    const { graph, a, b } = pair.networks;
    const inputNames = graph.inputs.map(({ name }) => name);
    const open = ({ name }: TaskData) => openData(name, inputNames);
    try {
      const trained = await trainCurve({ graph, engine }, [a, b], await open(trainingData), {
        ...{ ...training, curve, bends, statePath, resume: true, signal },
        onProgress: ({ step, steps }) => onProgress((TRAINING * step) / steps),
      });
      const {
        a: _,
        b: __,
        ...result
      } = await measureCurve({ graph, engine }, trained, await open(data), {
        ...{ points, statistics, batchSize, signal },
        statisticsData: statisticsData && (await open(statisticsData)),
        onProgress: ({ done }) => onProgress(TRAINING + (1 - TRAINING) * done),
      });
      await rm(statePath, { force: true });
      return result;
    } finally {
      await pair.close();
    }
  },
};
