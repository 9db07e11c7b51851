import { gradient } from "@isthmus/autodiff";
import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, type Session, specialize } from "@isthmus/graph";
import { batchNorm, dropout, GraphBuilder, gemm, sigmoid, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { attachLoss, createTrainingStep, type TrainingStepOptions } from "@isthmus/training";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { integers, numbersOf, runSteps } from "../../../test/helpers/run-steps.ts";
import { TWO_LAYER_SHAPES, twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";

const engine = createOnnxRuntimeEngine();
const BATCH = 6;
const loss = { kind: "cross-entropy" } as const;
const plain: TrainingStepOptions = { batch: BATCH, loss, optimizer: { kind: "sgd" } };

type Numbers = ReadonlyMap<string, Float64Array>;

/** A smooth network in f64, of which differences tell gradients to eight digits. */
function smoothMlp(hidden: (x: Value) => Value = (x) => x): Graph {
  // The logistic function, as it has no kinks.
  return twoLayerMlp({ dtype: "f64", activate: (x) => hidden(sigmoid(x)) });
}

const network = (seed: number, scale = 0.8): Numbers =>
  new Map(
    [...twoLayerWeights(seed, scale)].map(([name, weight]) => [name, Float64Array.from(numbersOf(weight))]),
  );
const tensor = (data: Float64Array, shape: readonly number[]): Tensor => ({ dtype: "f64", shape, data });
const tensors = (numbers: Numbers): Map<string, Tensor> =>
  new Map([...numbers].map(([name, data]) => [name, tensor(data, TWO_LAYER_SHAPES[name] ?? [])]));
const examples = (x: Float64Array): Map<string, Tensor> =>
  new Map([
    ["x", tensor(x, [BATCH, 5])],
    ["labels", integers([0, 1, 2, 2, 0, 1])],
  ]);
const X = Float64Array.from(numbersOf(waves([BATCH, 5], 10, 1.5)));

/** Makes one step at the rate 1, and returns the loss and the gradient that the step followed. */
async function slopeOf(
  options: Partial<TrainingStepOptions>,
  at: Numbers,
  { x = X, further = new Map() }: { x?: Float64Array; further?: ReadonlyMap<string, Numbers> } = {},
): Promise<{ loss: number; slope: Numbers }> {
  const step = await createTrainingStep(smoothMlp(), engine, { ...plain, ...options });
  const feeds = examples(x);
  for (const [kind, inputs] of [
    ["references", step.references],
    ["corrections", step.corrections],
  ] as const) {
    for (const [name, input] of inputs) {
      feeds.set(
        input,
        tensor(further.get(kind)?.get(name) ?? new Float64Array(0), TWO_LAYER_SHAPES[name] ?? []),
      );
    }
  }
  const { carried, losses } = await runSteps(step, {
    steps: 1,
    weights: tensors(at),
    feedsAt: () => feeds,
    rateAt: () => 1,
  });
  const slope = [...at].map(([name, w]): [string, Float64Array] => {
    const next = carried.get(name)?.data as Float64Array;
    return [name, w.map((value, i) => value - (next[i] ?? Number.NaN))];
  });
  return { loss: losses[0] ?? Number.NaN, slope: new Map(slope) };
}

const along = (at: Numbers, direction: Numbers, by: number): Numbers =>
  new Map(
    [...at].map(([name, w]) => [name, w.map((v, i) => v + by * (direction.get(name)?.[i] ?? Number.NaN))]),
  );
const dot = (a: Numbers, b: Numbers): number =>
  [...a].reduce(
    (sum, [name, v]) => v.reduce((part, x, i) => part + x * (b.get(name)?.[i] ?? Number.NaN), sum),
    0,
  );
const minus = (a: Numbers, b: Numbers): Numbers => along(a, b, -1);

/** Derivative of a function of the weights in a direction, by a central difference. */
async function derivative(f: (at: Numbers) => Promise<number>, at: Numbers, direction: Numbers) {
  const h = 1e-4;
  return ((await f(along(at, direction, h))) - (await f(along(at, direction, -h)))) / (2 * h);
}

const seeds = fc.tuple(fc.nat(50), fc.nat(50));
const few = { numRuns: 8 };

describe("createTrainingStep() with a proximal term", () => {
  it("createTrainingStep() follows the gradient of loss + mu / 2 |w - reference|²", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.double({ min: 0.01, max: 5, noNaN: true }), async ([a, b], mu) => {
        const [at, reference, direction] = [network(a), network(b + 60), network(a + b + 120)];
        const { slope } = await slopeOf({ proximal: { mu } }, at, {
          further: new Map([["references", reference]]),
        });
        const objective = async (w: Numbers) => {
          const distance = minus(w, reference);
          return (await slopeOf({}, w)).loss + (mu / 2) * dot(distance, distance);
        };
        // The differences leave out terms of the order of 1e-8.
        expect(dot(slope, direction)).toBeCloseTo(await derivative(objective, at, direction), 6);
      }),
      few,
    );
  });

  it("createTrainingStep() clips the gradient of the whole, and reports the loss without the term", async () => {
    const options = { proximal: { mu: 2 }, optimizer: { kind: "sgd", clipNorm: 0.1 } } as const;
    const clipped = await slopeOf(options, network(1), { further: new Map([["references", network(9)]]) });
    expect(Math.sqrt(dot(clipped.slope, clipped.slope))).toBeCloseTo(0.1, 5);
    expect(clipped.loss).toBe((await slopeOf({}, network(1))).loss);
  });

  it("createTrainingStep() without strength is the step without the term", async () => {
    const make = (more: Partial<TrainingStepOptions>) =>
      createTrainingStep(smoothMlp(), engine, { ...plain, ...more });
    const bare = await make({});
    expect(await make({ proximal: { mu: 0 }, wasserstein: { gamma: Number.POSITIVE_INFINITY } })).toEqual({
      ...bare,
      scalars: bare.scalars.map(({ name }) => ({ name, valueAt: expect.any(Function) })),
    });
  });
});

describe("createTrainingStep() with corrections", () => {
  it("createTrainingStep() follows the gradient and what is added to it", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async ([a, b]) => {
        const [at, correction, direction] = [network(a), network(b + 60, 0.1), network(a + b + 120)];
        const { slope } = await slopeOf({ corrected: true }, at, {
          further: new Map([["corrections", correction]]),
        });
        const expected = await derivative(async (w) => (await slopeOf({}, w)).loss, at, direction);
        expect(dot(slope, direction)).toBeCloseTo(expected + dot(correction, direction), 6);
      }),
      few,
    );
  });

  it("createTrainingStep() takes a correction for trained parameters alone", async () => {
    const freeze = ["a.*"];
    const step = await createTrainingStep(smoothMlp(), engine, {
      ...plain,
      freeze,
      corrected: true,
      proximal: { mu: 1 },
    });
    expect([...step.corrections.keys()]).toEqual(["b.weight", "b.bias"]);
    expect([...step.references.keys()]).toEqual(["b.weight", "b.bias"]);
  });
});

/** Gradient of the mean loss by the examples, by central differences of the loss. */
async function exampleSlope(at: Numbers, x: Float64Array): Promise<Float64Array> {
  const h = 1e-5;
  const slope = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const [up, down] = [x.with(i, (x[i] ?? 0) + h), x.with(i, (x[i] ?? 0) - h)];
    slope[i] = (await lossAt(at, up)) - (await lossAt(at, down));
    slope[i] = (slope[i] ?? 0) / (2 * h);
  }
  return slope;
}

/** One session for many losses. */
let session: Session | undefined;
let lossName = "";
async function lossAt(at: Numbers, x: Float64Array): Promise<number> {
  if (session === undefined) {
    const objective = attachLoss(await specialize({ graph: smoothMlp(), engine }, { batch: BATCH }), loss);
    lossName = objective.loss;
    session = await engine.load(objective.graph, { threads: 1 });
  }
  const results = await session.run(new Map([...tensors(at), ...examples(x)]));
  return Number(results.get(lossName)?.data[0]);
}

/** Moves examples by the definition. */
async function ascend(
  at: Numbers,
  { gamma, steps, stepSize }: { gamma: number; steps: number; stepSize: number },
) {
  let x = X;
  for (let step = 0; step < steps; step++) {
    const slope = await exampleSlope(at, x);
    x = x.map((v, i) => v + stepSize * (BATCH * (slope[i] ?? 0) - 2 * gamma * (v - (X[i] ?? 0))));
  }
  return x;
}

describe("createTrainingStep() by Wasserstein-robust steps", () => {
  it("createTrainingStep() moves examples along differences of the loss, then steps at the moved ones", async () => {
    const options = fc.record({
      gamma: fc.double({ min: 0.2, max: 4, noNaN: true }),
      steps: fc.integer({ min: 1, max: 3 }),
      share: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(50), options, async (seed, { gamma, steps, share }) => {
        const at = network(seed);
        const wasserstein = { gamma, steps, stepSize: share / gamma };
        const moved = await slopeOf({ wasserstein }, at);
        const expected = await slopeOf({}, at, { x: await ascend(at, wasserstein) });
        expect(moved.loss).toBeCloseTo(expected.loss, 7);
        for (const [name, numbers] of expected.slope) {
          numbers.forEach((value, i) => {
            expect(moved.slope.get(name)?.[i]).toBeCloseTo(value, 7);
          });
        }
      }),
      few,
    );
  });

  it("createTrainingStep() follows the gradient of the largest penalised loss (Danskin)", async () => {
    // A penalty above the curvature of the loss: each maximum is the only one, and 60 ascents reach it.
    const wasserstein = { gamma: 2, steps: 60, stepSize: 0.2 };
    const objective = attachLoss(await specialize({ graph: smoothMlp(), engine }, { batch: BATCH }), loss);
    const uphill = gradient(objective.graph, { loss: objective.loss, withRespectTo: ["x"] });
    const slopes = await engine.load(uphill, { threads: 1 });
    const surrogate = async (at: Numbers) => {
      let x = X;
      for (let step = 0; step < wasserstein.steps; step++) {
        const results = await slopes.run(new Map([...tensors(at), ...examples(x)]));
        const slope = results.get(gradientName(objective.loss, "x"))?.data as Float64Array;
        x = x.map((v, i) => v + 0.2 * (BATCH * (slope[i] ?? 0) - 4 * (v - (X[i] ?? 0))));
      }
      const distance = x.reduce((sum, v, i) => sum + (v - (X[i] ?? 0)) ** 2, 0);
      return (await lossAt(at, x)) - (2 * distance) / BATCH;
    };
    const at = network(3);
    const { slope, loss: robust } = await slopeOf({ wasserstein }, at);
    for (const seed of [70, 80, 90]) {
      expect(dot(slope, network(seed))).toBeCloseTo(await derivative(surrogate, at, network(seed)), 6);
    }
    expect(robust).toBeGreaterThan(await lossAt(at, X));
    await slopes.release();
  });

  it("createTrainingStep() finds larger losses the smaller the penalty is", async () => {
    const losses = [];
    for (const gamma of [1e6, 10, 3, 1]) {
      losses.push((await slopeOf({ wasserstein: { gamma, steps: 8 } }, network(1))).loss);
    }
    expect(losses[0]).toBeCloseTo(await lossAt(network(1), X), 5);
    expect(losses).toEqual(losses.toSorted((a, b) => a - b));
    expect(new Set(losses).size).toBe(4);
  });

  it("createTrainingStep() drops the same in every ascent", async () => {
    const graph = smoothMlp((x) => dropout(x, 0.25));
    const step = await createTrainingStep(graph, engine, { ...plain, wasserstein: { gamma: 1, steps: 2 } });
    expect(step.masks).toHaveLength(1);
    const run = (value: number, more: Partial<TrainingStepOptions>) =>
      createTrainingStep(graph, engine, { ...plain, ...more }).then((made) => {
        const masks = made.masks.map(({ name, shape }): [string, Tensor] => [
          name,
          tensor(new Float64Array(24).fill(value), shape),
        ]);
        return runSteps(made, {
          steps: 1,
          weights: tensors(network(1)),
          feedsAt: () => new Map([...examples(X), ...masks]),
        });
      });
    const wasserstein = { gamma: 1, steps: 2 };
    // With everything dropped, no example can do anything: the moved loss is the plain one.
    expect((await run(0, { wasserstein })).losses).toEqual((await run(0, {})).losses);
    expect((await run(1, { wasserstein })).losses).not.toEqual((await run(1, {})).losses);
  });

  it("createTrainingStep() keeps running statistics of the moved examples, and works within sam", async () => {
    const builder = new GraphBuilder("normed", 21);
    const x = builder.input("x", { dtype: "f32", shape: [BATCH, 5] });
    const w = builder.weight("w", { dtype: "f32", shape: [3, 5] });
    const vector = (name: string, role: "parameter" | "statistic") =>
      builder.weight(name, { dtype: "f32", shape: [3] }, role);
    const norm = { scale: vector("scale", "parameter"), bias: vector("bias", "parameter") };
    const statistics = { mean: vector("mean", "statistic"), variance: vector("variance", "statistic") };
    const graph = builder.build([batchNorm(gemm(x, w, { transB: true }), { ...norm, ...statistics })]);
    const weights = new Map(
      [...graph.weights].map(([name, { shape }], k) => [name, waves(shape, k, 0.7, 1)] as const),
    );
    const run = async (options: Partial<TrainingStepOptions>) => {
      const step = await createTrainingStep(graph, engine, { ...plain, ...options });
      const feeds = new Map([...examples(X), ["x", waves([BATCH, 5], 10, 1.5)] as const]);
      return runSteps(step, { steps: 2, weights, feedsAt: () => feeds });
    };
    const wasserstein = { gamma: 1, steps: 2 };
    const [bare, moved] = [await run({}), await run({ wasserstein })];
    const sharp = await run({ wasserstein, optimizer: { kind: "sam", base: { kind: "sgd" } } });
    expect(moved.carried.get("mean")).not.toEqual(bare.carried.get("mean"));
    expect(sharp.carried.get("w")).not.toEqual(moved.carried.get("w"));
    expect(sharp.losses[0]).toBe(moved.losses[0]);
  });

  it("createTrainingStep() refuses examples that cannot move", async () => {
    const builder = new GraphBuilder("tokens", 21);
    const ids = builder.input("ids", { dtype: "i64", shape: [BATCH, 4] });
    const table = builder.weight("table", { dtype: "f32", shape: [7, 7] });
    const [rows] = builder.emit("Gather", [table, ids], [{ dtype: "f32", shape: [BATCH, 4, 7] }]) as [Value];
    const tokens = builder.build([rows]);
    const cases: [Graph, Partial<TrainingStepOptions>, RegExp][] = [
      [
        tokens,
        { loss: { kind: "next-token" }, wasserstein: { gamma: 1 } },
        /must be floating-point: "ids" is i64; leave/,
      ],
      [smoothMlp(), { wasserstein: { gamma: 0 } }, /"gamma" must be more than 0: it is 0/],
      [smoothMlp(), { wasserstein: { gamma: Number.NaN } }, /"gamma" must be more than 0/],
      [
        smoothMlp(),
        { wasserstein: { gamma: 1, steps: 0 } },
        /"steps" must be a whole number of at least 1: it is 0/,
      ],
      [
        smoothMlp(),
        { wasserstein: { gamma: 4, stepSize: 0.25 } },
        /"stepSize" must be more than 0 and less than 1 \/ gamma = 0.25: it is 0.25/,
      ],
      [smoothMlp(), { wasserstein: { gamma: 4, stepSize: 0 } }, /"stepSize" must be more than 0/],
      [smoothMlp(), { wasserstein: { gamma: 4, epsilon: 1 } as never }, /there is no option "epsilon"/],
      [smoothMlp(), { proximal: { mu: -1 } }, /"mu" must be a number of at least 0: it is -1/],
      [smoothMlp(), { proximal: {} as never }, /"mu" must be a number of at least 0: it is NaN/],
    ];
    for (const [graph, options, message] of cases) {
      await expect(createTrainingStep(graph, engine, { ...plain, ...options })).rejects.toThrow(message);
    }
  });
});
