import { at } from "@isthmus/core";
import { checkSizes, type Measurement } from "@isthmus/findings";
import { basename } from "@isthmus/platform";
import { describeLandscape } from "./describe/describe-landscape.ts";
import {
  ATTEMPT,
  LANDSCAPE_FIELDS,
  type LandscapeChoice,
  type LandscapeProgress,
} from "./landscape-options.ts";
import type { LandscapeResult } from "./landscape-result.ts";
import { measureLandscape } from "./measure-landscape.ts";
import { checkLandscape } from "./read/check-landscape.ts";

/** Measurement of loss and error on a line, a plane or a grid around a network. */
export const LANDSCAPE: Measurement<"landscape", LandscapeChoice, LandscapeResult> = {
  kind: "landscape",
  version: 1,
  attempt: ATTEMPT,
  subject: "landscape",
  options: LANDSCAPE_FIELDS,
  journal: { keeps: "finished rows", file: "rows.json" },
  examples: [
    [
      "--data mnist:test@1000 --report landscape.html",
      "a plane along two random directions of the filters' sizes",
    ],
    [
      "--directions eigenvectors --dimensions 1 --range -2:2",
      "a line along the direction in which the loss curves most",
    ],
    [
      "--directions trajectory --snapshots run/ --journal rows.json",
      "the plane in which a training run mostly went, with its way",
    ],
    ["--from init.pt", "whether the loss falls all the way from the initialization"],
  ],
  form: async () => (await import("./read/landscape-form.ts")).LANDSCAPE_FORM,
  findSizeProblems: (result) => checkSizes((checks) => checkLandscape(result, checks)),
  describe: describeLandscape,
  titleOf: ({ networks }) => `Loss around ${basename(networks[0]?.source ?? "a network")}`,
  recordOf({ networks, ...result }) {
    return {
      ...result,
      networks: networks.map(({ source: _, ...network }) => network),
      ...(result.axes.length === 1 && { line: lineOf(result) }),
    };
  },
  run({ graph, engine, network, others, data, statisticsData }, options, control) {
    const { signal, journalPath, report } = control;
    return measureLandscape({ graph, engine }, { network, others }, data, {
      ...options,
      statisticsData,
      signal,
      journalPath,
      onProgress: ({ stage, done }) => report(STAGES[stage], done),
    });
  },
};

const STAGES: Readonly<Record<LandscapeProgress["stage"], string>> = {
  eigenvectors: "Computing eigenvectors",
  grid: "Measuring the landscape",
};

/** Lists the places of a line, which tables of a study can step through. */
function lineOf({ axes, loss, error }: Pick<LandscapeResult, "axes" | "loss" | "error">) {
  return at(axes, 0, "axis").map((place, i) => ({
    place,
    loss: at(loss, i, "loss"),
    error: at(error, i, "error"),
  }));
}
