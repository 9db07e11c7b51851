import { rm } from "node:fs/promises";
import { join } from "node:path";
import { batch, schemaOf, seed, takesParams } from "@isthmus/forms";
import { measureWalkedPath } from "@isthmus/paths";
import type { LossSpec, OptimizerSpec } from "@isthmus/training";
import { LOSS, OPTIMIZER } from "@isthmus/training/forms";
import { z } from "zod";
import type { WalkedPathChoice } from "../description/path-measurements.ts";
import { WALKED_PATH_FIELDS } from "../schema/dropout-fields.ts";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How layers walk from one network to another, and the path is measured. */
export interface WalkPairParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly trainingData: TaskData;
  readonly options: WalkedPathChoice & {
    readonly batch?: number;
    readonly loss?: LossSpec;
    readonly optimizer?: OptimizerSpec;
    readonly batchSize: number;
    readonly seed: number;
  };
}

const PARAMS = schemaOf<WalkPairParams>()(
  z.strictObject({
    data: TASK_DATA,
    statisticsData: TASK_DATA.optional(),
    trainingData: TASK_DATA,
    options: z.strictObject({
      ...WALKED_PATH_FIELDS,
      batch: batch.optional(),
      loss: LOSS.optional(),
      optimizer: OPTIMIZER.optional(),
      batchSize: batch,
      seed,
    }),
  }),
);

/**
 * Walks from one network to another layer by layer, and measures the path; goes on from the points that an
 * interrupted run left.
 */
export const walkPair: StudyTaskKind<WalkPairParams> = {
  name: "walked-path",
  version: 1,
  ...takesParams("walked-path", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params, inputs) {
    const { data, statisticsData, trainingData, options } = params;
    const journalPath = join(folder, "points.json");
    const pair = await openPair(inputs, engine, signal);
    const { graph, a, b } = pair.networks;
    const inputNames = graph.inputs.map(({ name }) => name);
    const open = ({ name }: TaskData) => openData(name, inputNames);
    try {
      const sets = { training: await open(trainingData), evaluation: await open(data) };
      const {
        a: _,
        b: __,
        ...result
      } = await measureWalkedPath({ graph, engine }, [a, b], sets, {
        ...{ ...options, journalPath, signal },
        statisticsData: statisticsData && (await open(statisticsData)),
        onProgress: ({ done }) => onProgress(done),
      });
      await rm(journalPath, { force: true });
      return result;
    } finally {
      await pair.close();
    }
  },
};
