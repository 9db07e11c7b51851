import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PAIR_IMAGES_FIELDS, PAIR_TASKS, type PairLayout, pairImages } from "@isthmus/data";
import { comparePareto, PARETO_FIELDS, type ParetoChoice, splitHeads } from "@isthmus/ensemble";
import { seed, takesParams } from "@isthmus/forms";
import { parseNetwork } from "@isthmus/zoo";
import { z } from "zod";
import { TRAINING_PARAMS_SHAPE, type TrainingParams } from "../networks/training-shape.ts";
import { shapeOfFields, zodOfForm } from "../schema/zod-of-form.ts";
import type { StudyTaskKind, TaskData, TaskNetwork } from "./task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "./task-schema.ts";

/** How fronts are made and measured. */
export interface MeasureParetoParams {
  readonly network: TaskNetwork;
  readonly data: TaskData;
  readonly testData: TaskData;
  readonly layout: PairLayout;
  /** By which images are put together. */
  readonly pairs: number;
  readonly options: Omit<TrainingParams, "loss"> & ParetoChoice;
}

const { loss: _, ...TRAINED_FIELDS } = TRAINING_PARAMS_SHAPE;

const PARAMS = z.strictObject({
  network: TASK_NETWORK,
  data: TASK_DATA,
  testData: TASK_DATA,
  layout: zodOfForm(PAIR_IMAGES_FIELDS.layout.form),
  pairs: seed,
  options: z.strictObject({ ...TRAINED_FIELDS, ...shapeOfFields(PARETO_FIELDS) }),
}) as z.ZodType as z.ZodType<MeasureParetoParams>;

/** Trains networks for two tasks and measures their fronts; the manifold goes on from its state. */
export const measurePareto: StudyTaskKind<MeasureParetoParams> = {
  name: "pareto",
  version: 1,
  ...takesParams("pareto", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params) {
    const { network, data, testData, layout, pairs, options } = params;
    const open = async ({ name }: TaskData) => pairImages(await openData(name), { layout, seed: pairs });
    const [training, test] = [await open(data), await open(testData)];
    const single = parseNetwork(network.net, { ...training, classes: 2 * training.classes });
    const graph = await splitHeads({ graph: single.graph, engine }, 2);
    const starts = [0, 1].map((task) => single.initialize(2 * options.seed + task));
    const statePath = join(folder, "state.safetensors");
    const { result } = await comparePareto(
      { graph, engine },
      starts,
      { training, test },
      {
        ...{ ...options, tasks: PAIR_TASKS, statePath, resume: true, signal },
        onProgress: ({ done }) => onProgress(done),
      },
    );
    await rm(statePath, { force: true });
    const { manifold, scalarised } = result;
    // One list of both, for tables of a row for each.
    const fronts = [
      { way: "Pareto manifold", ...manifold },
      ...(scalarised === undefined ? [] : [{ way: "weighted sums", ...scalarised }]),
    ];
    return { ...result, fronts };
  },
};
