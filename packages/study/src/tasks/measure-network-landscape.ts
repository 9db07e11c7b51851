import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at } from "@isthmus/core";
import { takesParams } from "@isthmus/forms";
import { type LandscapeChoice, type LandscapeResult, measureLandscape } from "@isthmus/landscape";
import { pathOf } from "@isthmus/tasks";
import { z } from "zod";
import { LANDSCAPE_TASK_SHAPE } from "../schema/landscape-fields.ts";
import { MEASURED_LOSS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How the landscape around a network is measured. */
export interface MeasureNetworkLandscapeParams extends MeasuredLoss {
  readonly data: TaskData;
  readonly options: LandscapeChoice;
}

const PARAMS: z.ZodType = z.strictObject({
  data: TASK_DATA,
  ...MEASURED_LOSS,
  options: z.strictObject(LANDSCAPE_TASK_SHAPE),
});

/** Lists the places of a line, which tables of a study can step through. */
function lineOf({ axes, loss, error }: Pick<LandscapeResult, "axes" | "loss" | "error">) {
  return at(axes, 0, "axis").map((place, i) => ({
    place,
    loss: at(loss, i, "loss"),
    error: at(error, i, "error"),
  }));
}

/** Measures the landscape around a network; its snapshots are inputs where directions are made of them. */
export const measureNetworkLandscape: StudyTaskKind<MeasureNetworkLandscapeParams> = {
  name: "landscape",
  version: 1,
  ...takesParams("landscape", PARAMS as z.ZodType<MeasureNetworkLandscapeParams>),
  async run({ engine, openData, folder, signal, onProgress }, { data, loss, options }, inputs) {
    const { snapshots = [] } = inputs;
    const paths = [pathOf(inputs, "network"), ...snapshots];
    const { graph, networks, close } = await openNetworks(inputs, paths, engine);
    try {
      const inputNames = graph.inputs.map(({ name }) => name);
      const subjects = networks.map(({ network }, k) => ({
        label: k === 0 ? "network" : `snapshot ${k}`,
        network,
      }));
      const journalPath = join(folder, "rows.json");
      const { networks: measured, ...result } = await measureLandscape(
        { graph, engine },
        { network: at(subjects, 0, "network"), others: subjects.slice(1) },
        await openData(data.name, inputNames),
        {
          ...options,
          loss,
          journalPath,
          signal,
          onProgress: ({ stage, done }) => onProgress(stage === "grid" ? done : 0),
        },
      );
      await rm(journalPath, { force: true });
      return {
        ...result,
        networks: measured.map(({ source: _, ...network }) => network),
        ...(result.axes.length === 1 && { line: lineOf(result) }),
      };
    } finally {
      await close();
    }
  },
};
