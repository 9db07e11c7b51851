import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at, saveCheckpoint } from "@isthmus/core";
import { schemaOf, takesParams } from "@isthmus/forms";
import { findStar } from "@isthmus/star-domain";
import { discoverSymmetries } from "@isthmus/symmetry";
import { pathsOf } from "@isthmus/tasks";
import { parseNetwork } from "@isthmus/zoo";
import { z } from "zod";
import {
  STAR_FIELDS,
  type StarOptions,
  TRAINING_FIELDS,
  type TrainingOptions,
} from "../schema/shared-fields.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData, TaskNetwork } from "./task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "./task-schema.ts";

/** How a star is found. */
export interface FindStarNetworkParams {
  readonly data: TaskData;
  /** The network whose random weights it starts from; the anchors' mean where there is none. */
  readonly start?: TaskNetwork;
  readonly options: TrainingOptions & StarOptions;
}

/** File of the star's weights. */
export const STAR_FILE = "star.safetensors";

const PARAMS = schemaOf<FindStarNetworkParams>()(
  z.strictObject({
    data: TASK_DATA,
    start: TASK_NETWORK.optional(),
    options: z.strictObject({ ...TRAINING_FIELDS, ...STAR_FIELDS }),
  }),
);

/** Finds the star of networks; goes on from the state that an interrupted run left. */
export const findStarNetwork: StudyTaskKind<FindStarNetworkParams> = {
  name: "star",
  version: 1,
  ...takesParams("star", PARAMS),
  async run(context, { data: { name }, start, options }, inputs) {
    const { engine, openData, folder, signal, onProgress } = context;
    const statePath = join(folder, "state.safetensors");
    const { graph, networks, close } = await openNetworks(inputs, pathsOf(inputs, "anchors"), engine);
    try {
      const data = await openData(name, start === undefined ? graph.inputs.map((input) => input.name) : []);
      const symmetries = await discoverSymmetries({ graph, engine }, { signal });
      const anchors = networks.map(({ network }) => network);
      const { star, result } = await findStar({ graph, engine, symmetries }, anchors, data, {
        start: start === undefined ? undefined : parseNetwork(start.net, data).initialize(options.seed),
        ...options,
        statePath,
        resume: true,
        signal,
        onProgress: (at) => {
          // Alignments come between steps: they are part of the epoch that follows.
          if ("steps" in at) onProgress(at.step / at.steps);
        },
      });
      const saved = at(networks, 0, "anchor").restore(star);
      await saveCheckpoint(saved, join(folder, STAR_FILE), { overwrite: true });
      await rm(statePath, { force: true });
      const { seed, steps, batch, epochs } = result;
      return { kind: "star", anchors: anchors.length, seed, steps, batch, epochs };
    } finally {
      await close();
    }
  },
};
