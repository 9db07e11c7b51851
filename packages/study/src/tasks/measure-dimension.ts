import { rm } from "node:fs/promises";
import { join } from "node:path";
import { shuffleLabels } from "@isthmus/data";
import { seed, takesParams } from "@isthmus/forms";
import { measureIntrinsicDimension } from "@isthmus/subspace";
import type { LossSpec } from "@isthmus/training";
import { LOSS } from "@isthmus/training/forms";
import { parseNetwork } from "@isthmus/zoo";
import { z } from "zod";
import { type DimensionChoice, LABEL_CHOICES } from "../description/dimension-measurement.ts";
import { DIMENSION_SHAPE } from "../schema/dimension-fields.ts";
import type { StudyTaskKind, TaskData, TaskNetwork } from "./task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "./task-schema.ts";

/** Which subspace is searched for, and how networks are trained in it. */
export interface MeasureDimensionParams {
  /** With the weights of the first seed. */
  readonly network: TaskNetwork;
  readonly data: TaskData;
  readonly trainingData: TaskData;
  readonly labels: (typeof LABEL_CHOICES)[number];
  /** Seed of the order of shuffled labels. */
  readonly seed: number;
  readonly options: DimensionChoice & { readonly loss?: LossSpec };
}

const PARAMS = z.strictObject({
  network: TASK_NETWORK,
  data: TASK_DATA,
  trainingData: TASK_DATA,
  labels: z.enum(LABEL_CHOICES),
  seed,
  options: z.strictObject({ ...DIMENSION_SHAPE, loss: LOSS.optional() }),
}) as z.ZodType as z.ZodType<MeasureDimensionParams>;

/** Trainings of a search, roughly: for the progress, which cannot know how many there will be. */
const TRAININGS = 30;

/**
 * Measures the intrinsic dimension of a task for a network; goes on from the trainings that an interrupted
 * run finished.
 */
export const measureDimension: StudyTaskKind<MeasureDimensionParams> = {
  name: "intrinsic-dimension",
  version: 1,
  ...takesParams("intrinsic-dimension", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params) {
    const { network, labels, options } = params;
    const journalPath = join(folder, "trainings.json");
    const named = await openData(params.trainingData.name);
    const training = labels === "shuffled" ? shuffleLabels(named, params.seed) : named;
    const evaluation = labels === "shuffled" ? training : await openData(params.data.name);
    const { graph, initialize } = parseNetwork(network.net, training);
    const result = await measureIntrinsicDimension(
      { graph, engine },
      initialize,
      { training, evaluation },
      {
        ...{ ...options, journalPath, signal },
        onProgress: ({ trainings }) => onProgress(trainings / (trainings + TRAININGS)),
      },
    );
    await rm(journalPath, { force: true });
    return { ...result, network: network.net };
  },
};
