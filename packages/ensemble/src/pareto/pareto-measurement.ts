import { at } from "@isthmus/core";
import { PAIR_TASKS, pairImages } from "@isthmus/data";
import type { DescribesTraining, Measurement } from "@isthmus/findings";
import { chooseBatch } from "@isthmus/training";
import { comparePareto, type ParetoProgress } from "./compare-pareto.ts";
import { PARETO_MEASUREMENT_FIELDS, type ParetoMeasurementChoice } from "./pareto-measurement-options.ts";
import type { ParetoResult } from "./pareto-result.ts";
import { PARETO_RESULT } from "./pareto-result-kind.ts";
import { splitHeads } from "./task-graph.ts";

/** Number of heads of a network that classifies both images of a pair. */
const HEADS = PAIR_TASKS.length;

/**
 * Measurement that compares the front of networks between two networks, trained in one run, to networks
 * trained on weighted sums.
 */
export const PARETO: Measurement<"training", ParetoMeasurementChoice, ParetoResult> &
  DescribesTraining<"data", "testData", "pairs"> = {
  ...PARETO_RESULT,
  version: 1,
  attempt: "compare fronts",
  subject: "training",
  options: PARETO_MEASUREMENT_FIELDS,
  trains: { leastEpochs: 1, optimizer: "sgd", trained: "images" },
  training: {
    trained: {
      entry: "data",
      param: "data",
      help: "images to train on, of which two are put into one, such as mnist:train@5000",
    },
    measured: {
      entry: "testData",
      param: "testData",
      flag: "test-data",
      help: "images to measure on, put into one alike",
      default: undefined,
    },
    options: ["layout", "pairs"],
    seed: "pairs",
    change({ training, data }, { layout, seed, pairs = seed }) {
      const paired = pairImages(training, { layout, seed: pairs });
      return {
        training: paired,
        data: data && pairImages(data, { layout, seed: pairs }),
        outputs: HEADS * paired.classes,
      };
    },
    name: ({ name, initializeSeveral }, { seed }) => ({
      net: name,
      start: at(initializeSeveral(seed, HEADS), 0, "start"),
      label: `fronts of ${name} seed ${seed}`,
    }),
  },
  makes: {
    help: "the folder of task_1.safetensors, task_2.safetensors, graph.onnx and pareto.json",
    state: "pareto",
    names: () => PAIR_TASKS,
    beside: { graph: "graph", result: "pareto" },
  },
  journal: { keeps: "trained steps", file: "state.safetensors" },
  examples: [
    [
      "--net mlp:64x2 --data mnist:train@5000 --test-data mnist:test@2000 --epochs 10 --scalarised 5 -o front --report front.html",
      "two digits on one image: the front of networks between two, beside five networks trained one by one",
    ],
  ],
  complete: (options, { graph, data, training = data }) => ({
    ...options,
    batch: chooseBatch(graph, options.batch, { size: training.size }),
  }),
  async run({ graph: single, engine, training, data, initializeSeveral, written }, options, control) {
    const { layout, pairs: _, ...chosen } = options;
    const graph = await splitHeads({ graph: single, engine }, HEADS);
    const { networks, result } = await comparePareto(
      { graph, engine },
      initializeSeveral(options.seed, HEADS),
      { training, test: data },
      {
        ...chosen,
        tasks: PAIR_TASKS,
        statePath: control.journalPath,
        resume: true,
        signal: control.signal,
        onProgress: ({ phase, done, training }) => control.report(STAGES[phase], done, false, training),
      },
    );
    const by = { ...written, layout, seed: options.seed };
    for (const [i, network] of networks.entries())
      await control.saveNetwork?.(at(PAIR_TASKS, i, "task"), network, { from: [], by });
    await control.saveGraph?.(graph);
    return result;
  },
  recordOf(result) {
    const { manifold, scalarised } = result;
    // Both fronts are in one list, for tables with a row for each network.
    const fronts = [
      { way: "Pareto manifold", ...manifold },
      ...(scalarised === undefined ? [] : [{ way: "weighted sums", ...scalarised }]),
    ];
    return { ...result, fronts };
  },
};

const STAGES: Readonly<Record<ParetoProgress["phase"], string>> = {
  manifold: "Training both tasks",
  scalarised: "Training weighted sums",
  measuring: "Measuring the front",
};
