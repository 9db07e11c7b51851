import { at, UsageError } from "@isthmus/core";
import { shuffleLabels } from "@isthmus/data";
import type { DescribesTraining, Measurement } from "@isthmus/findings";
import { basename } from "@isthmus/platform";
import { chooseTrainOptions } from "@isthmus/training";
import { describeIntrinsicDimension } from "./describe/describe-intrinsic-dimension.ts";
import { INTRINSIC_DIMENSION_FIELDS, type IntrinsicDimensionChoice } from "./intrinsic-dimension-options.ts";
import type { IntrinsicDimensionResult } from "./intrinsic-dimension-result.ts";
import { measureIntrinsicDimension } from "./measure-intrinsic-dimension.ts";
import type { IntrinsicDimensionProgress } from "./measure-options.ts";
import { SUBSPACE_LEARNING_RATE } from "./resolve-measure-options.ts";

const ATTEMPT = "measure an intrinsic dimension";

/** Measurement of the smallest random subspace in which a network can be trained. */
export const INTRINSIC_DIMENSION: Measurement<
  "training",
  IntrinsicDimensionChoice,
  IntrinsicDimensionResult
> &
  DescribesTraining<"trainOn", "data", "seed"> = {
  kind: "intrinsic-dimension",
  version: 1,
  attempt: ATTEMPT,
  subject: "training",
  options: INTRINSIC_DIMENSION_FIELDS,
  trains: {
    leastEpochs: 1,
    optimizer: "adam",
    seeds: { option: "seeds", flag: "runs", help: "trainings in each dimension, from --seed on" },
    otherSchedule: {
      option: "baselineSchedule",
      flag: "subspace-lr",
      help: "learning rate in subspaces, the largest of the schedule",
      defaultRate: SUBSPACE_LEARNING_RATE,
    },
  },
  training: {
    trained: { entry: "trainOn", param: "trainingData" },
    measured: {
      entry: "data",
      param: "data",
      flag: "eval-data",
      help: "examples that accuracies are measured on (default: the test split of --data, or else its validation split, if it has one and names none)",
      default: "other-split",
    },
    options: ["labels", "seed"],
    seed: "seed",
    change({ training, data }, { labels, seed }) {
      if (labels === "given") return { training, data };
      const shuffled = shuffleLabels(training, seed);
      return { training: shuffled, data: shuffled };
    },
    name: ({ initialize, written: { network, data } }, { labels, seeds }) => ({
      net: network,
      start: initialize(at(seeds, 0, "seed")),
      label: `intrinsic dimension of ${network}, ${data}, ${labels} labels`,
    }),
  },
  journal: { keeps: "finished trainings", file: "trainings.json" },
  examples: [
    [
      "--net mlp:200x2 --data mnist --epochs 2 --journal d90.journal.json -o d90.json --report d90.html",
      "how many numbers a network needs to read digits; start it again after an interruption and it goes on",
    ],
    [
      "--net vgg:1-1:w0.125:none --data fashion-mnist --projection sparse --runs 2 --first 200",
      "of a small convolutional network, with a faster matrix for small dimensions",
    ],
    [
      "--net mlp:200x2 --data mnist:train@5000 --shuffle-labels --epochs 20",
      "how many it needs to learn labels by heart that say nothing",
    ],
  ],
  form: async () => (await import("./intrinsic-dimension-form.ts")).INTRINSIC_DIMENSION_FORM,
  describe: describeIntrinsicDimension,
  titleOf: ({ network }) => `Intrinsic dimension of ${basename(network)}`,
  complete(options, { graph, data, training = data }) {
    const { batch, loss } = chooseTrainOptions({ graph, data: training }, options);
    return { ...options, batch, loss };
  },
  async run({ name, graph, engine, training, data, initialize }, options, control) {
    const { labels, seed: _, ...chosen } = options;
    const { loss } = options;
    if (labels === "shuffled" && typeof loss === "object" && loss.kind === "next-token") {
      throw new UsageError(
        `Cannot ${ATTEMPT} of shuffled labels with the loss next-token as it predicts tokens from each other: leave the labels as they are given`,
      );
    }
    const result = await measureIntrinsicDimension(
      { graph, engine },
      initialize,
      { training, evaluation: data },
      {
        ...chosen,
        signal: control.signal,
        journalPath: control.journalPath,
        onProgress: (at) => control.report(stageOf(at), shareOf(at), false, at.training),
      },
    );
    return { ...result, network: name };
  },
};

function stageOf({ stage, dimension, seed, trainings }: IntrinsicDimensionProgress): string {
  const where = stage === "baseline" ? "Training in full" : `Training in ${dimension} dimensions`;
  return `${where}, seed ${seed} (training ${trainings + 1})`;
}

/** Approximate number of trainings of a search: the exact number is not known before it ends. */
const TRAININGS = 30;

/** Returns the approximate share of the search that is done, which never reaches 1. */
function shareOf({ trainings, training: { step, steps } }: IntrinsicDimensionProgress): number {
  const done = trainings + step / steps;
  return done / (done + TRAININGS);
}
