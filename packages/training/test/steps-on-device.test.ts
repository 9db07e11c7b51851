import { join } from "node:path";
import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { createStepRunner, createTrainingStep, train } from "@isthmus/training";
import { describe, expect, it } from "vitest";
import { engineWithMemory } from "../../../test/helpers/engine-with-memory.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const processor = createOnnxRuntimeEngine();
const graph = smallMlp();
const weights = createCheckpoint(randomWeights(graph, 0));
const step = await createTrainingStep(graph, processor, {
  batch: 4,
  loss: { kind: "cross-entropy" },
  optimizer: { kind: "sgd", momentum: 0.5 },
});
const examples = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
const data: ReadonlyMap<string, Tensor> = new Map([
  [step.examples, createTensor("f32", [4, 6], examples)],
  [step.targets, createTensor("i64", [4], BigInt64Array.of(0n, 1n, 2n, 3n))],
]);

const bytesOf = (tensors: ReadonlyMap<string, Tensor>) =>
  [...tensors].map(([name, tensor]) => [name, [...tensor.data]]);

describe("createStepRunner() on an engine with a device of its own", () => {
  it("copies weights there once, then data alone, and back the loss alone, to the same results", async () => {
    const { engine, crossings, copies } = engineWithMemory(processor);
    const here = await createStepRunner(step, processor, weights, { seed: 0 });
    const there = await createStepRunner(step, engine, weights, { seed: 0 });
    for (let at = 0; at < 5; at++) {
      const stepAt = { step: at, learningRate: 0.1 };
      expect(await there.run(stepAt, data)).toEqual(await here.run(stepAt, data));
    }
    const scalars = step.scalars.map(({ name }) => name);
    for (const { to, from } of crossings) {
      expect(new Set(to)).toEqual(new Set([...data.keys(), ...scalars]));
      expect(new Set(from)).toEqual(new Set([step.loss, ...step.metrics.values()]));
    }
    expect(copies).toEqual({ held: 1, read: 0 });
    expect(bytesOf(await there.carried())).toEqual(bytesOf(await here.carried()));
    expect(bytesOf(await there.carried())).toEqual(bytesOf(await here.carried()));
    expect(copies).toEqual({ held: 1, read: 1 });
    const [after] = [await there.run({ step: 5, learningRate: 0.1 }, data)];
    expect(after).toEqual(await here.run({ step: 5, learningRate: 0.1 }, data));
    expect(copies).toEqual({ held: 1, read: 1 });
    await Promise.all([here.release(), there.release()]);
  });

  it("starts from tensors that were changed before the first step, as by a state", async () => {
    const { engine } = engineWithMemory(processor);
    const runners = await Promise.all(
      [processor, engine].map((one) => createStepRunner(step, one, weights, { seed: 0 })),
    );
    const losses: number[] = [];
    for (const runner of runners) {
      for (const tensor of (await runner.carried()).values()) (tensor.data as Float32Array).fill(0.01);
      losses.push((await runner.run({ step: 0, learningRate: 0.1 }, data)).loss);
    }
    expect(losses[1]).toBe(losses[0]);
    await Promise.all(runners.map((runner) => runner.release()));
  });

  it("feeds and returns all tensors in every step if the caller changes them", async () => {
    const { engine, copies } = engineWithMemory(processor);
    const runner = await createStepRunner(step, engine, weights, { seed: 0, returnsEach: true });
    for (let at = 0; at < 3; at++) {
      await runner.run({ step: at, learningRate: 0.1 }, data);
      for (const tensor of (await runner.carried()).values()) (tensor.data as Float32Array).fill(0.01 * at);
    }
    expect(copies).toEqual({ held: 0, read: 0 });
    await runner.release();
  });
});

describe("train() on a device that dies", () => {
  let folder = "";
  inFreshFolders((made) => {
    folder = made;
  });

  it("keeps its last state, from which the processor goes on to the same losses", async () => {
    const examplesOf = randomExamples([6], { size: 16, classes: 4 });
    const options = { seed: 1, epochs: 3, batch: 4 };
    const start = createCheckpoint(randomWeights(graph, 0));
    const statePath = join(folder, "state.safetensors");
    const dying = { graph, engine: { ...engineWithMemory(processor, 6).engine, name: "onnxruntime-webgpu" } };
    await expect(train(dying, start, examplesOf, { ...options, statePath, saveEvery: 1 })).rejects.toThrow(
      "Device lost",
    );
    const whole = await train({ graph, engine: processor }, start, examplesOf, options);
    const resumed = await train({ graph, engine: processor }, start, examplesOf, {
      ...options,
      statePath,
      resume: true,
    });
    // The first of the six runs was a probe of shapes.
    expect(resumed.result.resumedAt).toBe(5);
    expect(resumed.result.loss).toBe(whole.result.loss);
    for (const name of graph.weights.keys()) {
      expect([...(await resumed.weights.read(name)).data]).toEqual([
        ...(await whole.weights.read(name)).data,
      ]);
    }
  });
});
