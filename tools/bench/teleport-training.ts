// Training with and without teleports: loss on the examples by steps, and by processor time.
//
//   node tools/run-source.mjs tools/bench/teleport-training.ts --net mlp:64x3 --data mnist:train@5000
//     [--rates .02,.05,.1,.2] [--momentum 0] [--epochs 4] [--batch 50] [--every 20] [--times 0,5] [--steps 5]
//     [--teleport-rate .02] [--seeds 0,1,2]
//
// Prints one JSON object for each rate, number of teleports (0 for none) and seed: the loss on all examples at quarters of the
// training, and the processor seconds up to there, teleports included and evaluations left out.
import { parseArgs } from "node:util";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator } from "@isthmus/graph";
import { openTrainingTeleports } from "@isthmus/teleportation";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";

const { values } = parseArgs({
  options: {
    net: { type: "string", default: "mlp:64x3" },
    data: { type: "string", default: "mnist:train@5000" },
    rates: { type: "string", default: ".02,.05,.1,.2" },
    momentum: { type: "string", default: "0" },
    epochs: { type: "string", default: "4" },
    batch: { type: "string", default: "50" },
    every: { type: "string", default: "20" },
    times: { type: "string", default: "0,5" },
    steps: { type: "string", default: "5" },
    "teleport-rate": { type: "string", default: ".02" },
    seeds: { type: "string", default: "0,1,2" },
  },
});
const numbers = (text: string): number[] => text.split(",").map(Number);
const data = await openDataSet(values.data);
const { graph, initialize } = parseNetwork(values.net, data);
const engine = createOnnxRuntimeEngine();
const evaluator = await createEvaluator({ graph, engine }, data);
const batch = Number(values.batch);
const epochs = Number(values.epochs);
const steps = Math.ceil((data.size * epochs) / batch);
const quarters = [1, 2, 3, 4].map((quarter) => Math.floor((steps * quarter) / 4));
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

for (const seed of numbers(values.seeds)) {
  for (const learningRate of numbers(values.rates)) {
    for (const times of numbers(values.times)) {
      const start = initialize(seed);
      const began = cpuSeconds();
      let measuring = 0;
      const teleports =
        times === 0
          ? undefined
          : await openTrainingTeleports({ graph, engine }, start, data, {
              every: Number(values.every),
              times,
              steps: Number(values.steps),
              learningRate: Number(values["teleport-rate"]),
              seed,
              batch,
            });
      const points: { readonly step: number; readonly loss: number; readonly cpuSeconds: number }[] = [];
      await train({ graph, engine }, start, data, {
        seed,
        epochs,
        batch,
        optimizer: { kind: "sgd", momentum: Number(values.momentum) },
        schedule: { kind: "constant", learningRate },
        move: teleports?.move,
        collect: {
          steps: quarters,
          async take(step, weights) {
            const before = cpuSeconds();
            const { loss } = await evaluator.evaluate(weights);
            points.push({ step, loss, cpuSeconds: before - began - measuring });
            measuring += cpuSeconds() - before;
          },
        },
      }).catch((error: unknown) =>
        points.push({ step: -1, loss: Number.NaN, cpuSeconds: String(error).length }),
      );
      await teleports?.release();
      console.log(JSON.stringify({ net: values.net, seed, learningRate, times, points }));
    }
  }
}
await evaluator.release();
