import { type Measurement, titlesOfFiles } from "@isthmus/findings";
import { describeLayers } from "../describe/describe-layers.ts";
import type { LayersResult } from "../layers-result.ts";
import { LAYERS_FIELDS, type LayersChoice, type LayersProgress } from "./layers-options.ts";
import { measureLayers } from "./measure-layers.ts";

/**
 * Measurement of barriers layer by layer, which shows the layers that raise the loss between two networks.
 */
export const LAYERS: Measurement<"pair", LayersChoice, LayersResult> = {
  kind: "layers",
  version: 1,
  attempt: "measure layers",
  subject: "pair",
  isOnLine: true,
  options: LAYERS_FIELDS,
  journal: { keeps: "finished networks", file: "journal.jsonl" },
  examples: [
    ["--align --report layers.html", "which layers raise the loss between the networks, also as a page"],
    [
      "--order random middle-first --predict --robustness",
      "other orders, predictions from both ends, random directions",
    ],
    [
      "--align --statistics recalibrate -o layers.json --journal found.json",
      "start it again after an interruption and it goes on; isthmus merge --layers-from layers.json --max-barrier 0.02 then averages the layers that cost little",
    ],
  ],
  form: async () => (await import("../read/layers-form.ts")).LAYERS_FORM,
  describe: describeLayers,
  titleOf: ({ a, b }) => `From ${titlesOfFiles([a, b]).join(" to ")}, layer by layer`,
  async run({ graph, engine, a, b, data, statisticsData }, options, control) {
    const { signal, journalPath, report } = control;
    return measureLayers({ graph, engine }, [a, b], data, {
      ...options,
      statisticsData,
      signal,
      journalPath,
      onProgress: ({ phase, done }) => report(PHASES[phase], done),
    });
  },
};

const PHASES: Readonly<Record<LayersProgress["phase"], string>> = {
  measuring: "Measuring layers",
  directions: "Moving in random directions",
  predicting: "Differentiating",
};
