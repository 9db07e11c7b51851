import { gradient } from "@isthmus/autodiff";
import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, specialize } from "@isthmus/graph";
import { batchNorm, dropout, GraphBuilder, gather, gemm, relu, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { attachLoss, createTrainingStep, type LossSpec, type OptimizerSpec } from "@isthmus/training";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { integers, numbersOf, runSteps } from "../../../test/helpers/run-steps.ts";
import { waves } from "../../../test/helpers/waves.ts";

const engine = createOnnxRuntimeEngine();
const BATCH = 8;
const WIDTHS = [6, 7, 5, 3];
const crossEntropy: LossSpec = { kind: "cross-entropy" };
const sgd: OptimizerSpec = { kind: "sgd" };

function smallMlp(hidden: (x: Value) => Value = relu): Graph {
  const builder = new GraphBuilder("mlp", 21);
  let x = builder.input("x", { dtype: "f32", shape: [BATCH, WIDTHS[0]!] });
  for (let i = 1; i < WIDTHS.length; i++) {
    const weight = builder.weight(`${i}.weight`, { dtype: "f32", shape: [WIDTHS[i]!, WIDTHS[i - 1]!] });
    const bias = builder.weight(`${i}.bias`, { dtype: "f32", shape: [WIDTHS[i]!] });
    x = gemm(x, weight, { transB: true, bias });
    if (i < WIDTHS.length - 1) x = hidden(x);
  }
  return builder.build([x], { batchName: "N" });
}

function weightsOf(graph: Graph, scale = 0.7): Map<string, Tensor> {
  return new Map([...graph.weights].map(([name, { shape }], k) => [name, waves(shape, k, scale)]));
}

/** The same examples each time, or others by their number. */
const examples = (seed = 0): Map<string, Tensor> =>
  new Map([
    ["x", waves([BATCH, WIDTHS[0]!], seed + 50, 1)],
    ["labels", integers(Array.from({ length: BATCH }, (_, i) => (i * 2 + seed) % 3))],
  ]);

async function gradientsAt(
  weights: ReadonlyMap<string, Tensor>,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, number[]>> {
  const typed = await specialize({ graph: smallMlp(), engine }, { batch: BATCH });
  const { graph, loss } = attachLoss(typed, crossEntropy);
  const session = await engine.load(gradient(graph, { loss }), { threads: 1 });
  const results = await session.run(new Map([...weights, ...feeds]));
  await session.release();
  return new Map(
    [...weights.keys()].map((name) => [name, numbersOf(results.get(gradientName(loss, name)) as Tensor)]),
  );
}

const normOf = (parts: Iterable<readonly number[]>) => Math.hypot(...[...parts].flat());

const shifted = (tensor: Tensor, by: readonly number[], factor: number): Tensor => ({
  ...tensor,
  data: Float32Array.from(numbersOf(tensor), (value, i) => value + factor * by[i]!),
});

function expectClose(
  got: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
  tolerance: number,
) {
  for (const [name, tensor] of expected) {
    const numbers = numbersOf(got.get(name)!);
    const errors = numbersOf(tensor).map((value, i) => Math.abs(value - numbers[i]!));
    expect(Math.max(...errors), name).toBeLessThan(tolerance);
  }
}

describe("createTrainingStep()", () => {
  const optimizers: readonly OptimizerSpec[] = [
    sgd,
    { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 1e-3 },
    { kind: "adam" },
    { kind: "adamw", clipNorm: 1 },
    { kind: "sam", base: { kind: "sgd", momentum: 0.9 } },
  ];
  test.each(optimizers)("lowers the loss by %o", async (optimizer) => {
    const graph = smallMlp();
    const step = await createTrainingStep(graph, engine, { batch: BATCH, loss: crossEntropy, optimizer });
    const { losses, metrics } = await runSteps(step, {
      steps: 80,
      weights: weightsOf(graph),
      feedsAt: () => examples(),
      rateAt: () => 0.05,
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    expect(metrics.at(-1)!["correct"]).toBeGreaterThan(BATCH / 2);
  });

  test("gives the same bytes again", async () => {
    const once = async () => {
      const graph = smallMlp();
      const optimizer: OptimizerSpec = { kind: "sam", base: { kind: "adam", clipNorm: 1 } };
      const step = await createTrainingStep(graph, engine, { batch: BATCH, loss: crossEntropy, optimizer });
      return runSteps(step, { steps: 10, weights: weightsOf(graph), feedsAt: examples });
    };
    const [a, b] = [await once(), await once()];
    expect(a.losses).toEqual(b.losses);
    expect(a.carried).toEqual(b.carried);
  });

  test("carries parameters, then state, and names parameters as the checkpoint does", async () => {
    const graph = smallMlp();
    const optimizer: OptimizerSpec = { kind: "adam" };
    const step = await createTrainingStep(graph, engine, { batch: BATCH, loss: crossEntropy, optimizer });
    const byRole = (role: string) => step.carried.filter((tensor) => tensor.role === role);
    expect(byRole("parameter").map(({ input }) => input)).toEqual([...graph.weights.keys()]);
    expect(byRole("state").length).toBe(2 * graph.weights.size);
    expect(step.carried.map(({ role }) => role)).toEqual([
      ...byRole("parameter").map(() => "parameter"),
      ...byRole("state").map(() => "state"),
    ]);
    for (const { input, output, dtype, shape } of step.carried) {
      expect(step.graph.weights.get(input)).toMatchObject({ dtype, shape });
      expect(step.graph.outputs).toContainEqual({ name: output, dtype, shape });
    }
    expect(step).toMatchObject({ examples: "x", targets: "labels", masks: [] });
    expect(step.scalars.map(({ name }) => name)).toEqual(["stepSize", "rootFloor"]);
  });

  test("scales gradients down to a norm and leaves smaller ones alone", async () => {
    const graph = smallMlp();
    const weights = weightsOf(graph);
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.01, max: 20, noNaN: true }), fc.nat(20), async (clipNorm, seed) => {
        const optimizer: OptimizerSpec = { kind: "sgd", clipNorm };
        const step = await createTrainingStep(graph, engine, { batch: BATCH, loss: crossEntropy, optimizer });
        const gradients = await gradientsAt(weights, examples(seed));
        const norm = normOf(gradients.values());
        const result = await runSteps(step, {
          steps: 1,
          weights,
          feedsAt: () => examples(seed),
          rateAt: () => 1,
        });
        expect(Math.abs(result.metrics[0]!["gradientNorm"]! - norm)).toBeLessThan(1e-5 * (1 + norm));
        const factor = Math.min(1, clipNorm / (norm + 1e-6));
        const expected = [...weights].map(([name, tensor]): [string, Tensor] => [
          name,
          shifted(tensor, gradients.get(name)!, -factor),
        ]);
        expectClose(result.carried, new Map(expected), 2e-6);
      }),
      { numRuns: 15 },
    );
  });

  test("looks around before it descends: sam equals its two steps by hand", async () => {
    const graph = smallMlp();
    const weights = weightsOf(graph);
    const rho = 0.3;
    const optimizer: OptimizerSpec = { kind: "sam", rho, base: sgd };
    const step = await createTrainingStep(graph, engine, { batch: BATCH, loss: crossEntropy, optimizer });
    const { carried } = await runSteps(step, { steps: 1, weights, feedsAt: examples });
    const uphill = await gradientsAt(weights, examples());
    const scale = rho / normOf(uphill.values());
    const moved = new Map([...weights].map(([name, w]) => [name, shifted(w, uphill.get(name)!, scale)]));
    const slope = await gradientsAt(moved, examples());
    const expected = new Map([...weights].map(([name, w]) => [name, shifted(w, slope.get(name)!, -0.1)]));
    expectClose(carried, expected, 1e-6);
  });

  test("takes statistics of norms from the first pass of sam", async () => {
    const builder = new GraphBuilder("normed", 21);
    const x = builder.input("x", { dtype: "f32", shape: [BATCH, 6] });
    const w = builder.weight("w", { dtype: "f32", shape: [3, 6] });
    const vector = (name: string, role: "parameter" | "statistic") =>
      builder.weight(name, { dtype: "f32", shape: [3] }, role);
    const graph = builder.build([
      batchNorm(gemm(x, w, { transB: true }), {
        scale: vector("scale", "parameter"),
        bias: vector("bias", "parameter"),
        mean: vector("mean", "statistic"),
        variance: vector("variance", "statistic"),
      }),
    ]);
    const weights = weightsOf(graph);
    const run = async (optimizer: OptimizerSpec) => {
      const step = await createTrainingStep(graph, engine, { batch: BATCH, loss: crossEntropy, optimizer });
      expect(step.carried.map(({ input, role }) => [input, role])).toEqual(
        [...graph.weights].map(([name, { role }]) => [name, role]),
      );
      return runSteps(step, { steps: 1, weights, feedsAt: examples });
    };
    const [plain, sharp] = [await run(sgd), await run({ kind: "sam", rho: 0.5, base: sgd })];
    for (const name of ["mean", "variance"]) {
      expect(sharp.carried.get(name)).toEqual(plain.carried.get(name));
      expect(sharp.carried.get(name)).not.toEqual(weights.get(name));
    }
    expect(sharp.carried.get("w")).not.toEqual(plain.carried.get("w"));
  });

  test("leaves frozen parameters as they are", async () => {
    const graph = smallMlp();
    const step = await createTrainingStep(graph, engine, {
      batch: BATCH,
      loss: crossEntropy,
      optimizer: { kind: "sam", base: { kind: "sgd", momentum: 0.9 } },
      freeze: ["1.*", "*.bias"],
    });
    const parameters = step.carried.filter(({ role }) => role === "parameter");
    expect(parameters.map(({ input }) => input)).toEqual(["2.weight", "3.weight"]);
    expect([...step.graph.weights.keys()]).toEqual(
      expect.arrayContaining(["1.weight", "1.bias", "2.bias", "3.bias"]),
    );
    const { losses } = await runSteps(step, {
      steps: 30,
      weights: weightsOf(graph),
      feedsAt: () => examples(),
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  test("multiplies by masks where the network drops out, the same in both passes of sam", async () => {
    const graph = smallMlp((x) => dropout(relu(x), 0.25));
    const optimizer: OptimizerSpec = { kind: "sam", base: sgd };
    const step = await createTrainingStep(graph, engine, { batch: BATCH, loss: crossEntropy, optimizer });
    expect(step.masks).toMatchObject([
      { ratio: 0.25, dtype: "f32", shape: [BATCH, 7] },
      { ratio: 0.25, dtype: "f32", shape: [BATCH, 5] },
    ]);
    const weights = weightsOf(graph);
    const masked = (value: number) => () =>
      new Map([
        ...examples(),
        ...step.masks.map(({ name, shape }): [string, Tensor] => [name, waves(shape, 0, 0, value)]),
      ]);
    const plain = await createTrainingStep(smallMlp(), engine, {
      batch: BATCH,
      loss: crossEntropy,
      optimizer,
    });
    const input = { steps: 3, weights, feedsAt: masked(1) };
    const [kept, reference] = [await runSteps(step, input), await runSteps(plain, input)];
    expectClose(kept.carried, reference.carried, 1e-6);
    // With all of the last hidden layer dropped, logits are its bias, and only that is trained.
    const dropped = await runSteps(step, { ...input, feedsAt: masked(0) });
    expect(dropped.carried.get("1.weight")).toEqual(weights.get("1.weight"));
    expect(dropped.carried.get("3.weight")).toEqual(weights.get("3.weight"));
    expect(dropped.carried.get("3.bias")).not.toEqual(weights.get("3.bias"));
  });

  test("trains a network of f64 and one with whole-number weights beside others", async () => {
    const builder = new GraphBuilder("table", 21);
    const x = builder.input("x", { dtype: "f64", shape: [4, 3] });
    const order = builder.weight("order", { dtype: "i64", shape: [3] });
    const w = builder.weight("w", { dtype: "f64", shape: [3, 2] });
    const graph = builder.build([gemm(gather(x, order, 1), w)]);
    const step = await createTrainingStep(graph, engine, {
      batch: 4,
      loss: { kind: "mean-squared-error" },
      optimizer: { kind: "adamw", clipNorm: 1 },
    });
    expect(step.carried.filter(({ role }) => role === "parameter").map(({ input }) => input)).toEqual(["w"]);
    const wide = (shape: readonly number[], seed: number): Tensor => {
      return { dtype: "f64", shape, data: Float64Array.from(waves(shape, seed, 1).data as Float32Array) };
    };
    const { losses } = await runSteps(step, {
      steps: 100,
      weights: new Map([
        ["w", wide([3, 2], 1)],
        ["order", integers([2, 0, 1])],
      ]),
      feedsAt: () =>
        new Map([
          ["x", wide([4, 3], 2)],
          ["targets", wide([4, 2], 3)],
        ]),
      rateAt: () => 0.05,
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  });

  test("finds names that are free", async () => {
    const builder = new GraphBuilder("busy", 21);
    const x = builder.input("learningRate", { dtype: "f32", shape: [BATCH, 6] });
    const w = builder.weight("loss", { dtype: "f32", shape: [6, 3] });
    const graph = builder.build([builder.rename(gemm(x, w), "correct")]);
    const step = await createTrainingStep(graph, engine, {
      batch: BATCH,
      loss: crossEntropy,
      optimizer: sgd,
    });
    expect(step).toMatchObject({ examples: "learningRate", loss: "loss_1" });
    expect(step.scalars).toMatchObject([{ name: "learningRate_1" }]);
    expect(step.metrics).toEqual(new Map([["correct", "correct_1"]]));
  });

  test("tells Adam's scalars by the step and the rate", async () => {
    const optimizer: OptimizerSpec = { kind: "adamw", beta1: 0.5, beta2: 0.75, weightDecay: 0.1 };
    const step = await createTrainingStep(smallMlp(), engine, {
      batch: BATCH,
      loss: crossEntropy,
      optimizer,
    });
    const valueAt = (name: string, count: number) =>
      step.scalars.find((scalar) => scalar.name.startsWith(name))!.valueAt(count, 0.2);
    expect(valueAt("kept", 3)).toBeCloseTo(1 - 0.2 * 0.1, 12);
    // In the first step both corrections undo their factor: the step is that of the sign of the gradient.
    expect(valueAt("stepSize", 0)).toBeCloseTo(0.2, 12);
    expect(valueAt("rootFloor", 0)).toBeCloseTo(1e-8, 15);
    expect(valueAt("stepSize", 1000)).toBeCloseTo((0.2 * 0.5) / Math.sqrt(0.25), 12);
  });

  describe("refuses", () => {
    const options = { batch: BATCH, loss: crossEntropy, optimizer: sgd };

    test("a graph of integer weights only", async () => {
      const builder = new GraphBuilder("lookup", 21);
      const x = builder.input("x", { dtype: "f32", shape: [BATCH, 3] });
      const graph = builder.build([gather(x, builder.weight("order", { dtype: "i64", shape: [3] }), 1)]);
      await expect(createTrainingStep(graph, engine, options)).rejects.toThrow(
        /at least one floating-point parameter.*of 1 weights, 0 are/,
      );
    });

    test("a graph all of whose parameters are frozen, and patterns that match nothing", async () => {
      const freeze = (patterns: string[]) =>
        createTrainingStep(smallMlp(), engine, { ...options, freeze: patterns });
      await expect(freeze(["*"])).rejects.toThrow(/of 6 weights, 6 are .* and 6 of these are frozen/);
      await expect(freeze(["4.*"])).rejects.toThrow(/freeze "4\.\*".*none of 6/);
    });

    test("a batch of nothing", async () => {
      const none = createTrainingStep(smallMlp(), engine, { ...options, batch: 0 });
      await expect(none).rejects.toThrow(/whole number of at least 1: it is 0/);
    });

    test("a typed graph of another batch", async () => {
      const typed = await specialize({ graph: smallMlp(), engine }, { batch: 4 });
      await expect(createTrainingStep(typed, engine, options)).rejects.toThrow(/batches of 8.*"x" takes 4/);
    });

    const numbers: readonly (readonly [OptimizerSpec, RegExp])[] = [
      [{ kind: "sgd", momentum: 1 }, /sgd as "momentum" must be in \[0, 1\): it is 1/],
      [{ kind: "sgd", nesterov: true }, /"momentum" must be more than 0 with nesterov/],
      [{ kind: "adam", beta2: 1 }, /adam as "beta2"/],
      [{ kind: "adamw", epsilon: Number.NaN }, /adamw as "epsilon"/],
      [{ kind: "sgd", clipNorm: 0 }, /"clipNorm" must be more than 0, or null: it is 0/],
      [{ kind: "sgd", weightDecay: -1 }, /"weightDecay" must be at least 0: it is -1/],
      [{ kind: "sam", rho: 0, base: sgd }, /sam as "rho" must be more than 0: it is 0/],
      [{ kind: "lion" } as never, /kind must be sgd, adam, adamw or, around one of them, sam: it is "lion"/],
      [{ kind: "sgd", decay: 1 } as never, /no option "decay"/],
    ];
    test.each(numbers)("%o", async (optimizer, message) => {
      await expect(createTrainingStep(smallMlp(), engine, { ...options, optimizer })).rejects.toThrow(
        message,
      );
    });
  });

  test("is aborted", async () => {
    const signal = AbortSignal.abort();
    const options = { batch: BATCH, loss: crossEntropy, optimizer: sgd, signal };
    await expect(createTrainingStep(smallMlp(), engine, options)).rejects.toThrow(/abort/i);
  });
});
