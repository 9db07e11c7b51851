import { entry } from "@isthmus/core";
import { type Measurement, titlesOfFiles } from "@isthmus/findings";
import { createPath } from "@isthmus/interpolation";
import { chooseTrainOptions } from "@isthmus/training";
import { ALIGNED_LINE } from "../dropout-path/dropout-path.ts";
import { describeWalkedPath } from "./describe-walked-path.ts";
import { measureWalkedPath } from "./measure-walked-path.ts";
import { WALKED_PATH_FIELDS, type WalkedPathChoice } from "./walked-path-options.ts";
import type { WalkedPathResult } from "./walked-path-result.ts";

/**
 * Measurement that walks from one network to another layer by layer, and measures the path beside the
 * straight line.
 */
export const WALKED_PATH: Measurement<"pair", WalkedPathChoice, WalkedPathResult> = {
  kind: "walked-path",
  version: 1,
  attempt: "measure a walked path",
  subject: "pair",
  isOnLine: true,
  options: WALKED_PATH_FIELDS,
  examplesBeside: {
    trainOn: {
      help: "examples to train on (default: the training split of mnist, fashion-mnist and texts)",
      flag: "train-data",
      param: "trainingData",
      default: "training-split",
    },
  },
  journal: { keeps: "measured points", file: "points.json" },
  networks: "write the network each time a layer has reached its place into this folder",
  examples: [
    [
      "--data fashion-mnist:test@2000 --align --bezier --journal walk.json --report walk.html",
      "layer by layer, beside the lines and a curve; start it again after an interruption and it goes on",
    ],
  ],
  form: async () => (await import("../path/path-forms.ts")).WALKED_PATH_FORM,
  describe: describeWalkedPath,
  titleOf: ({ a, b }) => `From ${titlesOfFiles([a, b]).join(" to ")}, walked layer by layer`,
  complete(options, { graph, beside }) {
    const { batch, loss } = chooseTrainOptions(
      { graph, data: entry(beside, "trainOn", "examples") },
      options,
    );
    return { ...options, batch, loss };
  },
  async run({ graph, engine, a, b, end, data, statisticsData, beside }, options, control) {
    const { signal, journalPath, report, saveNetwork } = control;
    const training = entry(beside, "trainOn", "examples");
    const aligned = { name: ALIGNED_LINE, path: createPath("linear", a, b) };
    return measureWalkedPath(
      { graph, engine },
      [a, end],
      { training, evaluation: data },
      {
        ...options,
        statisticsData,
        signal,
        journalPath,
        beside: b === end ? [] : [aligned],
        async onPoint({ layer, move, phase, network }) {
          const hasArrived = move === options.moves && phase === "moved";
          if (hasArrived) await saveNetwork?.(String(layer + 1), network);
        },
        onProgress({ stage, done, layer }) {
          if (stage === "curve") report("Training a Bezier curve", done);
          else report(stage === "walk" ? `Walking ${layer}` : "Measuring lines", done);
        },
      },
    );
  },
};
