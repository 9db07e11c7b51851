import type { Measurement } from "@isthmus/findings";
import { basename } from "@isthmus/platform";
import { describeDropoutStability } from "./describe-dropout-stability.ts";
import type { DropoutStabilityResult } from "./dropout-result.ts";
import {
  DROPOUT_STABILITY_FIELDS,
  type DropoutStabilityChoice,
  measureDropoutStability,
} from "./measure-dropout-stability.ts";

/** Measurement of the rise of a network's loss if only a share of the units of its layers stays. */
export const DROPOUT_STABILITY: Measurement<"network", DropoutStabilityChoice, DropoutStabilityResult> = {
  kind: "dropout-stability",
  version: 1,
  attempt: "measure dropout stability",
  subject: "network",
  options: DROPOUT_STABILITY_FIELDS,
  journal: { keeps: "finished trials", file: "trials.json" },
  examples: [
    [
      "--shares 0.25,0.5,0.75 --report dropout.html",
      "how much the loss rises with a quarter, half and three quarters of the units, also as a page",
    ],
    [
      "--shares 0.25,0.5,0.75 --rescale fit --trials 10 --journal trials.json",
      "factors with the least loss, for ten choices; start it again after an interruption and it goes on",
    ],
    ["--choose largest --layers 'features.*'", "the largest channels of some layers"],
  ],
  form: async () => (await import("./dropout-result.ts")).DROPOUT_STABILITY_FORM,
  describe: describeDropoutStability,
  titleOf: ({ network }) => `Dropout stability of ${basename(network)}`,
  async run({ graph, engine, network, data, statisticsData, symmetries }, options, control) {
    const { signal, journalPath, report } = control;
    return measureDropoutStability({ graph, engine, symmetries: await symmetries() }, network, data, {
      ...options,
      statisticsData,
      signal,
      journalPath,
      onProgress: ({ done }) => report("Taking units out", done),
    });
  },
};
