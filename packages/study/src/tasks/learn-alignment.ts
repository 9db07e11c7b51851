import { at, InvariantError, saveCheckpoint } from "@isthmus/core";
import { takesParams } from "@isthmus/forms";
import { join, rm } from "@isthmus/platform";
import { pathOf } from "@isthmus/tasks";
import { align, LEARNED_FIELDS, type LearnedChoice } from "@isthmus/weight-matching";
import * as z from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** Parameters of a task that learns an alignment. */
export interface LearnAlignmentParams {
  /** Examples to learn from; their labels are not used. */
  readonly data: TaskData;
  /** Options of the search for the alignment, with its seed. */
  readonly options: LearnedChoice;
}

/** File of the aligned network. */
export const ALIGNED_FILE = "aligned.safetensors";

const PARAMS = z.strictObject({
  data: TASK_DATA,
  options: z.strictObject(shapeOfFields(LEARNED_FIELDS, ["seed"])),
}) as z.ZodType as z.ZodType<LearnAlignmentParams>;

/**
 * Task that learns to align network `b` to network `a` by the whole symmetry group, proves that it still
 * computes the same function, and saves it under the names of its own checkpoint. It goes on from the state
 * that an interrupted run left.
 */
export const learnAlignment: StudyTaskKind<LearnAlignmentParams> = {
  name: "learn",
  version: 1,
  ...takesParams("learn", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, { data, options }, inputs) {
    const statePath = join(folder, "state.safetensors");
    const paths = [pathOf(inputs, "a"), pathOf(inputs, "b")];
    const { graph, networks, close } = await openNetworks(inputs, paths, engine);
    try {
      const inputNames = graph.inputs.map(({ name }) => name);
      const { aligned } = await align({ graph, engine }, networks, {
        method: "learned",
        ...options,
        statePath,
        data: await openData(data.name, inputNames),
        signal,
        onProgress: ({ done }) => onProgress(done),
      });
      const { match, restored } = at(aligned, 0, "aligned network");
      if (match.method !== "learned") throw new InvariantError("An alignment was not learned");
      await saveCheckpoint(restored, join(folder, ALIGNED_FILE), { overwrite: true, signal });
      await rm(statePath, { force: true });
      const { objective, start, spaces, examples, steps, diverged, seed } = match;
      return { kind: "learn", objective, start, spaces, examples, steps, diverged, data: data.name, seed };
    } finally {
      await close();
    }
  },
};
