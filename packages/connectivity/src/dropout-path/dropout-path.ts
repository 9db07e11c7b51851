import { type Measurement, titlesOfFiles } from "@isthmus/findings";
import { createPath } from "@isthmus/interpolation";
import { describeDropoutPath } from "./describe-dropout-path.ts";
import { DROPOUT_PATH_FIELDS, type DropoutPathChoice } from "./dropout-path-options.ts";
import { type DropoutPathResult, measureDropoutPath } from "./measure-dropout-path.ts";

/**
 * Measurement that builds a path through networks without half of their units, and measures it beside the
 * straight line.
 */
export const DROPOUT_PATH: Measurement<"pair", DropoutPathChoice, DropoutPathResult> = {
  kind: "dropout-path",
  version: 2,
  attempt: "measure a path through dropout-stable networks",
  subject: "pair",
  isOnLine: true,
  options: DROPOUT_PATH_FIELDS,
  examples: [
    [
      "--data mnist:test@2000 --align --report path.html",
      "a path through networks without half of their units, beside the lines to B and to B aligned",
    ],
    [
      "--data mnist:train@5000 --rescale fit --trials 10 -o path.json",
      "units that stay are rescaled layer by layer, and chosen ten times",
    ],
  ],
  form: async () => (await import("../path/path-forms.ts")).DROPOUT_PATH_FORM,
  describe: describeDropoutPath,
  titleOf: ({ a, b }) => `From ${titlesOfFiles([a, b]).join(" to ")} through halved networks`,
  async run({ graph, engine, a, b, end, data, statisticsData, symmetries }, options, control) {
    const { signal, report } = control;
    const aligned = { name: ALIGNED_LINE, path: createPath("linear", a, b) };
    return measureDropoutPath({ graph, engine, symmetries: await symmetries() }, [a, end], data, {
      ...options,
      statisticsData,
      signal,
      beside: b === end ? [] : [aligned],
      onProgress: ({ stage, done }) => report(STAGES[stage], done),
    });
  },
};

/** Name of the line to the second network after it was aligned to the first. */
export const ALIGNED_LINE = "line to B aligned";

const STAGES = { build: "Taking units out", measure: "Measuring paths" } as const;
