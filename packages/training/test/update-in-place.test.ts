import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Engine, randomWeights, withLoad } from "@isthmus/graph";
import { createStepRunner, createTrainingStep, type OptimizerSpec, train } from "@isthmus/training";
import { describe, expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const graph = smallMlp();
const weights = createCheckpoint(randomWeights(graph, 0));
const data: ReadonlyMap<string, Tensor> = new Map([
  [
    "x",
    createTensor(
      "f32",
      [4, 6],
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    ),
  ],
]);

/** Makes six steps; returns the losses and the carried tensors as bits. */
async function trainSteps(optimizer: OptimizerSpec, inPlace: boolean, threads = 1) {
  const loss = { kind: "cross-entropy" } as const;
  const step = await createTrainingStep(graph, engine, { batch: 4, loss, optimizer, inPlace });
  const runner = await createStepRunner(step, engine, weights, { seed: 0, threads });
  const [examples] = [...data.values()];
  const labels = createTensor("i64", [4], BigInt64Array.of(0n, 1n, 2n, 3n));
  const feeds = new Map([
    [step.examples, examples as Tensor],
    [step.targets, labels],
  ]);
  const outcomes: unknown[] = [];
  for (let at = 0; at < 6; at++) {
    const { loss: value, metrics } = await runner.run({ step: at, learningRate: 0.1 / (at + 1) }, feeds);
    outcomes.push([value, ...metrics]);
  }
  const carried = [...(await runner.carried())].map(([name, { data: values }]) => [
    name,
    [...new Uint32Array((values as Float32Array).slice().buffer)],
  ]);
  await runner.release();
  return { outcomes, carried: Object.fromEntries(carried), isInPlace: step.inPlace !== undefined };
}

const OPTIMIZERS: readonly OptimizerSpec[] = [
  { kind: "sgd" },
  { kind: "sgd", weightDecay: 0.01, decayFromRank: 2 },
  { kind: "sgd", momentum: 0.9 },
  { kind: "sgd", momentum: 0.9, weightDecay: 0.01 },
  { kind: "sgd", momentum: 0.9, weightDecay: 0.01, clipNorm: 0.5 },
  { kind: "sgd", momentum: 0.9, nesterov: true },
  { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  { kind: "adam" },
  { kind: "adam", weightDecay: 0.01 },
  { kind: "adamw" },
  { kind: "sam", base: { kind: "sgd", momentum: 0.9 } },
];

describe("createTrainingStep({ inPlace: true })", () => {
  for (const optimizer of OPTIMIZERS) {
    it(`createTrainingStep() with ${JSON.stringify(optimizer)} gives the bits of the update in the graph, on any number of threads`, async () => {
      const inGraph = await trainSteps(optimizer, false);
      const inPlace = await trainSteps(optimizer, true);
      expect([inGraph.isInPlace, inPlace.isInPlace]).toEqual([false, true]);
      expect(inPlace.outcomes).toEqual(inGraph.outcomes);
      expect(inPlace.carried).toEqual(inGraph.carried);
      expect((await trainSteps(optimizer, true, 2)).carried).toEqual(inPlace.carried);
    });
  }

  it("createStepRunner() updates in place: its tensors are the same ones in every step, and fail with none of them changed", async () => {
    const step = await createTrainingStep(graph, engine, {
      batch: 4,
      loss: { kind: "cross-entropy" },
      optimizer: { kind: "sgd", momentum: 0.9 },
      inPlace: true,
    });
    const runner = await createStepRunner(step, engine, weights, { seed: 0 });
    const before = [...(await runner.carried())].map(([name, { data: values }]) => [name, [...values]]);
    const wrong = new Map([
      [step.examples, createTensor("f32", [4, 5], new Float32Array(20))],
      [step.targets, createTensor("i64", [4], new BigInt64Array(4))],
    ]);
    const tensors = [...(await runner.carried()).values()];
    await expect(runner.run({ step: 0, learningRate: 1 }, wrong)).rejects.toThrow(/Cannot run graph/);
    expect([...(await runner.carried())].map(([name, { data: values }]) => [name, [...values]])).toEqual(
      before,
    );
    expect([...(await runner.carried()).values()]).toEqual(tensors);
    expect(new Set(tensors.map(({ data: values }) => values.buffer)).size).toBe(1);
    await runner.release();
  });
});

describe("train() on an engine that chooses its device", () => {
  const examples = randomExamples([6], { size: 16, classes: 4 });

  /** Trains, and returns the weights' bits and the outputs of the graphs that were loaded. */
  async function trainOn(on: Engine) {
    const outputs: string[][] = [];
    const followed = withLoad(on, (inner, loaded, options) => {
      if (options?.optimize !== false) outputs.push(loaded.outputs.map(({ name }) => name));
      return inner.load(loaded, options);
    });
    const trained = await train({ graph, engine: followed }, weights, examples, {
      seed: 1,
      epochs: 2,
      batch: 4,
      optimizer: { kind: "sgd", momentum: 0.9 },
    });
    const bits: number[][] = [];
    for (const name of graph.weights.keys()) {
      const { data: values } = await trained.weights.read(name);
      bits.push([...new Uint32Array((values as Float32Array).slice().buffer)]);
    }
    return { outputs, bits };
  }

  it("updates in place if it takes the processor, with the processor's bits", async () => {
    const taking: Engine = { name: "auto", load: engine.load, choose: async () => engine };
    const [here, taken] = [await trainOn(engine), await trainOn(taking)];
    expect(taken).toEqual(here);
  });

  it("updates in the graph if it takes a device, and offers each engine the graph that it would run", async () => {
    const device: Engine = { name: "onnxruntime-fake", load: engine.load };
    const offered: (readonly [string, number, number | undefined])[] = [];
    const taking: Engine = {
      name: "auto",
      load: engine.load,
      async choose(workFor) {
        for (const one of [engine, device]) {
          const { graph: step, options } = await workFor(one);
          offered.push([one.name, step.weights.size, options?.carried?.size]);
        }
        return device;
      },
    };
    const [here, taken] = [await trainOn(engine), await trainOn(taking)];
    expect(taken.bits).toEqual(here.bits);
    expect(taken.outputs).not.toEqual(here.outputs);
    // A graph that updates takes and returns weights and momenta; one that does not takes weights alone.
    const { size } = graph.weights;
    expect(offered).toEqual([
      [engine.name, size, 0],
      [device.name, 2 * size, 2 * size],
    ]);
  });
});
