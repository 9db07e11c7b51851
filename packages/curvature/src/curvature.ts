import type { Measurement } from "@isthmus/findings";
import { basename } from "@isthmus/platform";
import { CURVATURE_FIELDS, type CurvatureChoice, type CurvatureStage } from "./curvature-options.ts";
import type { CurvatureResult } from "./curvature-result.ts";
import { describeCurvature } from "./describe/describe-curvature.ts";
import { ATTEMPT, measureCurvature } from "./measure-curvature.ts";

/** Measurement of the curvature of the loss around a network. */
export const CURVATURE: Measurement<"network", CurvatureChoice, CurvatureResult> = {
  kind: "curvature",
  version: 1,
  attempt: ATTEMPT,
  subject: "network",
  options: CURVATURE_FIELDS,
  journal: { keeps: "finished parts", file: "parts.json" },
  examples: [
    [
      "-o curvature.json --report curvature.html",
      "how sharply the loss curves around a network, also as a page",
    ],
    [
      "--operator gauss-newton --parameters 'head.*' --runs 0",
      "the Gauss-Newton matrix of one layer, without the density",
    ],
    [
      "--by layer --sharpness --critical-sharpness --canonical --runs 0 --report curvature.html",
      "every layer, and how far the loss rises nearby; all of it with scales of layers undone, too",
    ],
    [
      "--learning-coefficient --step 1e-4 --count 0 --trace-products 0 --runs 0",
      "the local learning coefficient alone",
    ],
    [
      "--settling --count 0 --trace-products 0 --runs 0 --report settling.html",
      "how the loss and its Hessian settle as the number of examples grows",
    ],
  ],
  form: async () => (await import("./forms/curvature-form.ts")).CURVATURE_FORM,
  describe: describeCurvature,
  titleOf: ({ network }) => `Curvature of the loss around ${basename(network)}`,
  run({ graph, engine, network, data }, options, { signal, journalPath, report, onPart }) {
    return measureCurvature({ graph, engine }, network, data, {
      ...options,
      signal,
      journalPath,
      onPart,
      onProgress: ({ stage, done, stored }) => report(STAGES[stage], done, stored),
    });
  },
};

const STAGES: Readonly<Record<CurvatureStage, string>> = {
  eigenvalues: "Computing eigenvalues",
  trace: "Estimating the trace",
  density: "Estimating the density",
  layers: "Measuring layers",
  sharpness: "Climbing",
  "critical-sharpness": "Searching the critical learning rate",
  "learning-coefficient": "Sampling losses nearby",
  settling: "Measuring on fewer examples",
};
