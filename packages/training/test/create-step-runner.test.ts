import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { createStepRunner, createTrainingStep } from "@isthmus/training";
import { describe, expect, it } from "vitest";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const graph = smallMlp();
const weights = createCheckpoint(randomWeights(graph, 0));
const step = await createTrainingStep(graph, engine, {
  batch: 4,
  loss: { kind: "cross-entropy" },
  optimizer: { kind: "sgd", momentum: 0.5 },
});
const data: ReadonlyMap<string, Tensor> = new Map([
  [
    step.examples,
    createTensor(
      "f32",
      [4, 6],
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    ),
  ],
  [step.targets, createTensor("i64", [4], BigInt64Array.of(0n, 1n, 2n, 3n))],
]);
const copyOf = (tensors: ReadonlyMap<string, Tensor>) =>
  new Map([...tensors].map(([name, tensor]) => [name, [...tensor.data]]));

describe("createStepRunner()", () => {
  it("createStepRunner() reads one set of tensors and writes the other, and allocates none", async () => {
    const runner = await createStepRunner(step, engine, weights, { seed: 0 });
    const sets: ReadonlyMap<string, Tensor>[] = [];
    for (let at = 0; at < 6; at++) {
      const before = await runner.carried();
      const copy = copyOf(before);
      sets.push(before);
      await runner.run({ step: at, learningRate: 0.1 }, data);
      expect(copyOf(before)).toEqual(copy);
      expect(copyOf(await runner.carried())).not.toEqual(copy);
    }
    const buffers = sets.map((set) => [...set.values()].map((tensor) => tensor.data.buffer));
    for (const [at, set] of buffers.entries()) {
      expect(set.every((buffer, i) => buffer === buffers[at % 2]?.[i])).toBe(true);
    }
    expect(new Set(buffers.flat()).size).toBe(2 * step.carried.length);
    await runner.release();
  });

  it("createStepRunner() starts from the checkpoint, its state from zeros, and leaves the checkpoint alone", async () => {
    const before = copyOf(randomWeights(graph, 0));
    const runner = await createStepRunner(step, engine, weights, { seed: 0 });
    for (const { input, role } of step.carried) {
      const values = [...((await runner.carried()).get(input)?.data ?? [])];
      expect(values).toEqual(role === "state" ? values.map(() => 0) : before.get(input));
    }
    await runner.run({ step: 0, learningRate: 1 }, data);
    await runner.run({ step: 1, learningRate: 1 }, data);
    expect(
      await Promise.all([...graph.weights.keys()].map(async (name) => [...(await weights.read(name)).data])),
    ).toEqual([...before.values()]);
    await runner.release();
  });

  it("createStepRunner() keeps what is carried where a step fails", async () => {
    const runner = await createStepRunner(step, engine, weights, { seed: 0 });
    const before = copyOf(await runner.carried());
    const wrong = new Map([...data, [step.examples, createTensor("f32", [4, 5], new Float32Array(20))]]);
    await expect(runner.run({ step: 0, learningRate: 1 }, wrong)).rejects.toThrow(/Cannot run graph/);
    expect(copyOf(await runner.carried())).toEqual(before);
    const { loss, metrics } = await runner.run({ step: 0, learningRate: 1 }, data);
    expect(loss).toBeGreaterThan(0);
    expect(metrics.get("correct")).toBeLessThanOrEqual(4);
    await runner.release();
  });

  it("createStepRunner() refuses a checkpoint that lacks weights", async () => {
    await expect(createStepRunner(step, engine, createCheckpoint({}), { seed: 0 })).rejects.toThrow(
      /lacks 6 of 6 weights/,
    );
  });
});
