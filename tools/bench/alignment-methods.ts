// Methods of alignment and what is done about statistics, side by side: objective, barriers, seconds.
//
//   npx tsx --conditions=@isthmus/source tools/bench/alignment-methods.ts --graph G --a A --b B --test NAME --train NAME
//     [--methods none,weight,activation,straight-through] [--statistics keep,recalibrate,repair,repair-closed-form]
//     [--similarity correlation] [--values read] [--epochs 5] [--match-every 1] [--seed 0] [--points 11]
//     [--statistics-examples 10000] [--match-examples 10000] [--mean M --std S]
//
// Prints one JSON object for each method and policy. Alignment and statistics see training examples only; barriers are of
// the test set. Data sets are named as for `isthmus barrier`.
import { parseArgs } from "node:util";
import { measureBarrier } from "@isthmus/barrier";
import type { DataSet } from "@isthmus/graph";
import type { StatisticsPolicy } from "@isthmus/statistics";
import { discoverSymmetries, permute } from "@isthmus/symmetry";
import {
  type ActivationChoice,
  type ActivationSimilarity,
  type MatchOptions,
  match,
} from "@isthmus/weight-matching";
import { exitWith, openPair, PAIR_OPTIONS } from "./open-pair.ts";

const { values } = parseArgs({
  options: {
    ...PAIR_OPTIONS,
    train: { type: "string" },
    methods: { type: "string", default: "none,weight,activation,straight-through" },
    statistics: { type: "string", default: "keep" },
    similarity: { type: "string", default: "correlation" },
    values: { type: "string", default: "read" },
    epochs: { type: "string", default: "5" },
    "match-every": { type: "string", default: "1" },
    "statistics-examples": { type: "string", default: "10000" },
    "match-examples": { type: "string", default: "10000" },
  },
});
const usage = "alignment-methods.ts --graph G --a A --b B --test NAME --train NAME [options]";
const { graph, engine, pair, data: testData, openScaled } = await openPair(values, usage);
const [a, b] = pair;
const trainData = await openScaled(values.train ?? exitWith(usage));
const first = (data: DataSet, size: number): DataSet => ({
  ...data,
  size: Math.min(size, data.size),
  read: (begin, end) => data.read(begin, end),
});
const symmetries = await discoverSymmetries({ graph, engine });
const seed = Number(values.seed);

function optionsOf(method: string): MatchOptions {
  const seen = { data: trainData, examples: Number(values["match-examples"]) };
  if (method === "weight") return { method, seed };
  if (method === "activation") {
    const similarity = values.similarity as ActivationSimilarity;
    return { method, seed, ...seen, similarity, values: values.values as ActivationChoice };
  }
  if (method !== "straight-through")
    throw new RangeError(`Cannot align as the method is unknown: got ${method}`);
  return { method, seed, ...seen, epochs: Number(values.epochs), matchEvery: Number(values["match-every"]) };
}

const seconds = (since: number) => Number(((performance.now() - since) / 1000).toFixed(2));

for (const method of values.methods.split(",")) {
  const started = performance.now();
  const found =
    method === "none" ? undefined : await match({ graph, engine, symmetries }, [a, b], optionsOf(method));
  const matchSeconds = seconds(started);
  const network = found === undefined ? b : permute(found.alignment, b, symmetries.spec);
  for (const statistics of values.statistics.split(",") as StatisticsPolicy[]) {
    const begun = performance.now();
    const { barrier, points } = await measureBarrier({ graph, engine }, [a, network], testData, {
      points: Number(values.points),
      statistics,
      statisticsData: first(trainData, Number(values["statistics-examples"])),
    });
    console.log(
      JSON.stringify({
        graph: values.graph,
        method,
        ...(method === "activation" ? { similarity: values.similarity, values: values.values } : {}),
        seed,
        objective: found?.objective ?? null,
        matchSeconds,
        statistics,
        lossBarrier: barrier.loss.chord,
        errorBarrier: barrier.error.chord,
        midpointLoss: points.find(({ t }) => t === 0.5)?.loss ?? null,
        barrierSeconds: seconds(begun),
      }),
    );
  }
}
await Promise.all([a.close(), b.close()]);
