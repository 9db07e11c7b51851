/**
 * Times epochs of `train` on MNIST against as many bare steps: the same graph, run again and again on one batch. In turns, in
 * one run.
 *
 *   npx tsx --conditions=@isthmus/source packages/training/bench/loop.bench.ts
 *
 * Options: --net NAME, --data NAME, --rounds N, --examples N (of the data set), --batch N, --threads N.
 * Standard output: one JSON object, with the median of each and their ratio; by the clock, and by the time of the processor,
 * which says more on a machine that others use, too, with --threads 1, as threads that wait spin.
 */
import { parseArgs } from "node:util";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createBatches,
  createStepRunner,
  createTrainingStep,
  type OptimizerSpec,
  train,
} from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";

const { values: options } = parseArgs({
  options: {
    net: { type: "string", default: "mlp:512x3" },
    data: { type: "string", default: "mnist:train" },
    rounds: { type: "string", default: "5" },
    batch: { type: "string", default: "128" },
    threads: { type: "string", default: "0" },
    momentum: { type: "string", default: "0" },
  },
});
const [rounds, batch, threads] = [Number(options.rounds), Number(options.batch), Number(options.threads)];

const engine = createOnnxRuntimeEngine();
const data = await openDataSet(options.data);
const network = parseNetwork(options.net, data);
const weights = network.initialize(0);
const optimizer: OptimizerSpec = { kind: "sgd", momentum: Number(options.momentum) };
const steps = Math.ceil(data.size / batch);

const step = await createTrainingStep(network.graph, engine, {
  batch,
  loss: { kind: "cross-entropy" },
  optimizer,
});
const runner = await createStepRunner(step, engine, weights, { seed: 0, threads });
const { current, fill } = createBatches(data, { seed: 0, batch, remainder: "carry", augment: {} });
fill(0);
const fed = new Map([
  [step.examples, current.inputs],
  [
    step.targets,
    {
      dtype: "i64" as const,
      shape: [batch],
      data: BigInt64Array.from(current.labels, (label) => BigInt(label)),
    },
  ],
]);

/** Seconds by the clock and of the processor. */
interface Times {
  readonly clock: number;
  readonly processor: number;
}

/** Starts measuring; the result ends it. */
function measure(): () => Times {
  const began = performance.now();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { clock: (performance.now() - began) / 1000, processor: (user + system) / 1e6 };
  };
}

/** An epoch's bare steps. */
async function bareEpoch(): Promise<Times> {
  const stop = measure();
  for (let i = 0; i < steps; i++) await runner.run({ step: i, learningRate: 1e-4 }, fed);
  return stop();
}

/** An epoch of the whole loop, from its first step on. */
async function wholeEpoch(): Promise<Times> {
  let begin: (() => Times) | undefined;
  let times: Times = { clock: 0, processor: 0 };
  await train({ graph: network.graph, engine }, weights, data, {
    seed: 0,
    epochs: 1,
    batch,
    optimizer,
    threads,
    schedule: { kind: "constant", learningRate: 0.05 },
    onProgress: ({ step: done }) => {
      begin ??= measure();
      if (done === steps) times = begin();
    },
  });
  // The first step is over when the time begins.
  const share = steps / (steps - 1);
  return { clock: times.clock * share, processor: times.processor * share };
}

/** Seconds to make an epoch's batches. */
function batchesOnly(): number {
  const began = performance.now();
  for (let i = 0; i < steps; i++) fill(i);
  return (performance.now() - began) / 1000;
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

const bare: Times[] = [];
const whole: Times[] = [];
const assembling: number[] = [];
await bareEpoch();
for (let round = 0; round < rounds; round++) {
  bare.push(await bareEpoch());
  whole.push(await wholeEpoch());
  assembling.push(batchesOnly());
}
await runner.release();
const summarize = (kind: keyof Times) => ({
  bare: median(bare.map((times) => times[kind])),
  whole: median(whole.map((times) => times[kind])),
  ratio: median(whole.map((times, i) => times[kind] / (bare[i]?.[kind] ?? 1))),
});
console.log(
  JSON.stringify({
    net: network.spec,
    data: data.name,
    batch,
    steps,
    threads,
    clock: summarize("clock"),
    processor: summarize("processor"),
    batchSeconds: median(assembling),
    imagesPerSecond: data.size / median(assembling),
  }),
);
