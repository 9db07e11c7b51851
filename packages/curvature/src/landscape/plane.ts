import {
  measurePlane,
  PLANE_ATTEMPT,
  PLANE_FIELDS,
  type PlaneChoice,
  type PlaneResult,
} from "@isthmus/barrier";
import { checkSizes, type Measurement } from "@isthmus/findings";
import { describePlane } from "./describe/describe-plane.ts";

/** Measurement of loss and error on the plane through three networks. */
export const PLANE: Measurement<"plane", PlaneChoice, PlaneResult> = {
  kind: "plane",
  version: 1,
  attempt: PLANE_ATTEMPT,
  subject: "plane",
  options: PLANE_FIELDS,
  journal: { keeps: "finished rows", file: "rows.json" },
  examples: [
    ["--data mnist:test@2000 --curve bezier", "the plane of a curve that isthmus curve trained"],
    [
      "--recalibrate-data mnist:train@2500 --journal rows.json --report plane.html",
      "three networks with batch norms; start it again after an interruption and it goes on",
    ],
    ["--points 11 --place mean.safetensors", "a coarse plane, and the place of the average of the three"],
  ],
  form: async () => (await import("./read/plane-form.ts")).PLANE_FORM,
  findSizeProblems: ({ xs, ys, loss, error }) =>
    checkSizes((checks) => {
      for (const [name, list] of Object.entries({ xs, ys })) checks.least(name, list, 1);
      for (const [name, rows] of Object.entries({ loss, error }))
        checks.table(name, rows, [ys.length, xs.length], '"ys" and "xs"');
    }),
  describe: describePlane,
  titleOf: ({ models }) => `The plane through ${models.map(({ label }) => label).join(", ")}`,
  run({ graph, engine, models, placed, data, statisticsData }, options, control) {
    const { signal, journalPath, report } = control;
    return measurePlane({ graph, engine }, models, data, {
      ...options,
      placed,
      statisticsData,
      signal,
      journalPath,
      onProgress: ({ done }) => report("Measuring the plane", done),
    });
  },
};
