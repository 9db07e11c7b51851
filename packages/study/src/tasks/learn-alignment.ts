import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at, InvariantError, saveCheckpoint } from "@isthmus/core";
import { pathOf } from "@isthmus/tasks";
import { align, type MatchLearnedOptions } from "@isthmus/weight-matching";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";

/** How an alignment is learned. */
export interface LearnAlignmentParams {
  /** Labels are not used. */
  readonly data: TaskData;
  readonly options: Pick<
    MatchLearnedOptions,
    | "seed"
    | "examples"
    | "streamExamples"
    | "steps"
    | "batchSize"
    | "learningRate"
    | "heads"
    | "rounds"
    | "at"
    | "units"
    | "rule"
  >;
}

/** File of the aligned network. */
export const ALIGNED_FILE = "aligned.safetensors";

/**
 * Learns how network `b` is aligned to network `a` by the whole symmetry group, proves that it still computes
 * what it did, and saves it under the names of its own checkpoint; goes on from the state that an interrupted
 * run left.
 */
export const learnAlignment: StudyTaskKind<LearnAlignmentParams> = {
  name: "learn",
  version: 1,
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
