import { defaultsOf } from "@isthmus/core";
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
      "--examples 0 --count 3 --steps 200 --trace-products 100 --runs 10 --report curvature.html",
      "precisely, on all examples and with the density of all eigenvalues, in minutes to hours",
    ],
    ["--operator gauss-newton --parameters 'head.*'", "the Gauss-Newton matrix of one layer"],
    [
      "--by layer --sharpness --critical-sharpness --canonical --report curvature.html",
      "every layer, and how far the loss rises nearby; all of it with scales of layers undone, too",
    ],
    [
      "--learning-coefficient --step 1e-4 --count 0 --trace-products 0",
      "the local learning coefficient alone",
    ],
    [
      "--settling --count 0 --trace-products 0 --report settling.html",
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
      onProgress: ({ stage, done, stored }) => report(stageWords(stage, options), done, stored),
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

/** Says what a stage does, and by how many products with the matrix at most. */
function stageWords(stage: CurvatureStage, options: CurvatureChoice): string {
  const { steps, traceProducts, runs, densitySteps } = { ...defaultsOf(CURVATURE_FIELDS), ...options };
  const most: Partial<Record<CurvatureStage, number>> = {
    eigenvalues: steps,
    trace: traceProducts,
    density: runs * densitySteps,
  };
  return stage in most ? `${STAGES[stage]} (${most[stage]} products)` : STAGES[stage];
}
