import { gradient } from "@isthmus/autodiff";
import { createCheckpoint, createRandom, createTensor, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { GraphBuilder, gemm, mul, reduceSum, tanh } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import {
  blendWeights,
  createBlendInputs,
  createStepRunner,
  createTrainingStep,
  joinPoints,
  type OptimizerSpec,
  type TrainingStep,
  takePoint,
} from "@isthmus/training";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { integers, numbersOf } from "../../../test/helpers/run-steps.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";
import { waves } from "../../../test/helpers/waves.ts";

const engine = createOnnxRuntimeEngine();
const BATCH = 4;

/** A typed network of f64 with one hidden layer, and the sum of the squares of its outputs as the loss. */
function wideMlp(): { readonly graph: Graph; readonly loss: string } {
  const builder = new GraphBuilder("wide", 21);
  const x = builder.input("x", { dtype: "f64", shape: [BATCH, 3] });
  const first = builder.weight("first", { dtype: "f64", shape: [3, 4] });
  const second = builder.weight("second", { dtype: "f64", shape: [4, 2] });
  const y = gemm(tanh(gemm(x, first)), second);
  const loss = builder.rename(reduceSum(mul(y, y)), "loss");
  return { graph: builder.build([y, loss]), loss: loss.name };
}

const wide = (shape: readonly number[], seed: number): Tensor => {
  const random = createRandom(seed, "values");
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());
  return createTensor("f64", shape, data);
};

describe("blendWeights()", () => {
  it("blendWeights() gives gradients that equal central differences at every point", async () => {
    const { graph, loss } = wideMlp();
    const coefficient = fc.double({ min: -1, max: 1.5, noNaN: true }).map(Math.fround);
    const scenes = fc
      .array(fc.record({ trained: fc.boolean(), coefficient }), { minLength: 1, maxLength: 4 })
      .filter((points) => points.some(({ trained }) => trained));
    await fc.assert(
      fc.asyncProperty(scenes, fc.nat(1000), async (scene, seed) => {
        const points = scene.map(({ trained }, k) => ({ name: `p${k}`, trained }));
        const blended = blendWeights(graph, { points, weights: [...graph.weights.keys()] });
        const trained = blended.points.filter((point) => point.trained);
        const names = trained.flatMap(({ weights }) => [...weights.values()]);
        const session = await engine.load(gradient(blended.graph, { loss, withRespectTo: names }), {
          threads: 1,
        });
        const feeds = new Map<string, Tensor>([["x", wide([BATCH, 3], seed)]]);
        blended.points.forEach((point, k) => {
          feeds.set(point.coefficient, createTensor("f32", [], Float32Array.of(scene[k]?.coefficient ?? 0)));
          for (const [weight, enters] of point.weights) {
            feeds.set(enters, wide(graph.weights.get(weight)?.shape ?? [], seed + 7 * k + weight.length));
          }
        });
        const lossAt = async (name: string, i: number, by: number) => {
          const tensor = feeds.get(name) as Tensor;
          const moved = Float64Array.from(tensor.data as Float64Array);
          moved[i] = (moved[i] ?? 0) + by;
          const results = await session.run(new Map([...feeds, [name, { ...tensor, data: moved }]]));
          return Number(results.get(loss)?.data[0]);
        };
        const results = await session.run(feeds);
        for (const name of names) {
          const slopes = numbersOf(results.get(gradientName(loss, name)) as Tensor);
          for (const [i, slope] of slopes.entries()) {
            const [above, below] = [await lossAt(name, i, 1e-5), await lossAt(name, i, -1e-5)];
            // Truncation 1e-10 times third derivatives, and the rounding of f64 divided by the step.
            expect(Math.abs((above - below) / 2e-5 - slope)).toBeLessThan(1e-7 * (1 + Math.abs(slope)));
          }
        }
        await session.release();
      }),
      { numRuns: 12 },
    );
  });

  it("blendWeights() finds names that are free, and refuses points that cannot be trained", () => {
    const builder = new GraphBuilder("busy", 21);
    const x = builder.input("coefficient@a", { dtype: "f32", shape: [2, 3] });
    const w = builder.weight("coefficient", { dtype: "f32", shape: [3, 2] });
    const graph = builder.build([gemm(x, w)]);
    const weights = ["coefficient"];
    const { points } = blendWeights(graph, { points: [{ name: "a", trained: true }], weights });
    expect(points[0]).toEqual({
      name: "a",
      trained: true,
      coefficient: "coefficient@a_1",
      weights: new Map([["coefficient", "coefficient@a_2"]]),
    });
    expect(() => blendWeights(graph, { points: [{ name: "a", trained: false }], weights })).toThrow(
      /at least one of its points must be trained: of 1, none is/,
    );
    const twins = [0, 1].map(() => ({ name: "a", trained: true }));
    expect(() => blendWeights(graph, { points: twins, weights })).toThrow(/two are "a"/);
    expect(() => blendWeights(graph, { points: twins.slice(1), weights: ["b"] })).toThrow(
      /none of that name/,
    );
  });
});

const feedsOf = (step: TrainingStep, shape: readonly number[], seed: number): Map<string, Tensor> =>
  new Map([
    [step.examples, waves([BATCH, ...shape], seed, 1)],
    [step.targets, integers(Array.from({ length: BATCH }, (_, i) => (i + seed) % 3))],
  ]);

const bitsOf = (tensors: ReadonlyMap<string, Tensor>) =>
  Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]));

/** Creates the step that trains a star beside an anchor that stays. */
const stepOfStar = (graph: Graph) =>
  createTrainingStep(graph, engine, {
    batch: BATCH,
    loss: { kind: "cross-entropy" },
    optimizer: { kind: "sgd" },
    blend: [
      { name: "star", trained: true },
      { name: "anchor", trained: false },
    ],
  });

describe("createTrainingStep() of a blend", () => {
  const optimizers: readonly OptimizerSpec[] = [
    { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 1e-2, decayExcept: ["*.bias"] },
    { kind: "adamw", clipNorm: 1 },
    { kind: "sam", base: { kind: "sgd", momentum: 0.9 } },
  ];

  it.each(optimizers)(
    "with coefficients 1 and 0 makes the steps of the network itself: %o",
    async (optimizer) => {
      const graph = smallMlp();
      const common = { batch: BATCH, loss: { kind: "cross-entropy" } as const, optimizer };
      const plain = await createTrainingStep(graph, engine, common);
      const blend = [
        { name: "anchor", trained: false },
        { name: "star", trained: true },
      ];
      const blended = await createTrainingStep(graph, engine, { ...common, blend });
      const weights = createCheckpoint(randomWeights(graph, 1));
      const plainRunner = await createStepRunner(plain, engine, weights, { seed: 0, threads: 1 });
      const star = await createStepRunner(
        blended,
        engine,
        joinPoints(blended, new Map([["star", weights]])),
        {
          seed: 0,
          threads: 1,
        },
      );
      const inputs = createBlendInputs(blended);
      inputs.weigh([0, 1]);
      for (let step = 0; step < 6; step++) {
        const at = { step, learningRate: 0.1 };
        // Another given network at every step, of which nothing may be seen.
        inputs.place("anchor", randomWeights(graph, 10 + step));
        const feeds = feedsOf(plain, [6], step);
        const expected = await plainRunner.run(at, feeds);
        const got = await star.run(at, new Map([...feeds, ...inputs.tensors]));
        expect(got).toEqual(expected);
        const point = takePoint(blended, "star", await star.carried());
        for (const [name, tensor] of point)
          expect([...tensor.data]).toEqual([...((await plainRunner.carried()).get(name)?.data ?? [])]);
      }
      await plainRunner.release();
      await star.release();
    },
  );

  it("moves each trained point by its coefficient, decays it where it is, and keeps the given and the frozen", async () => {
    const graph = smallMlp();
    const blend = [
      { name: "start", trained: false },
      { name: "left", trained: true },
      { name: "right", trained: true },
    ];
    const optimizer: OptimizerSpec = { kind: "sgd", weightDecay: 0.5, decayExcept: ["l0.weight"] };
    const step = await createTrainingStep(graph, engine, {
      batch: BATCH,
      loss: { kind: "cross-entropy" },
      optimizer,
      blend,
      freeze: ["l1.*"],
    });
    const start = new Map([
      ["left", createCheckpoint(randomWeights(graph, 1))],
      ["right", createCheckpoint(randomWeights(graph, 2))],
    ]);
    const runner = await createStepRunner(step, engine, joinPoints(step, start), { seed: 0, threads: 1 });
    const inputs = createBlendInputs(step);
    inputs.weigh([0.25, 0.5, 0.25]);
    const givenWeights = randomWeights(graph, 3);
    inputs.place("start", givenWeights);
    const before = bitsOf(givenWeights);
    await runner.run({ step: 0, learningRate: 1 }, new Map([...feedsOf(step, [6], 0), ...inputs.tensors]));
    const moved = async (point: string, name: string, decay: number) => {
      const was = numbersOf((await start.get(point)?.read(name)) as Tensor);
      const is = numbersOf(takePoint(step, point, await runner.carried()).get(name) as Tensor);
      return is.map((value, i) => value - (1 - decay) * (was[i] ?? 0));
    };
    for (const [name, decay] of [
      ["l0.weight", 0],
      ["l2.weight", 0.5],
    ] as const) {
      const [left, right] = [await moved("left", name, decay), await moved("right", name, decay)];
      expect(Math.max(...left.map(Math.abs))).toBeGreaterThan(1e-3);
      left.forEach((by, i) => {
        expect(Math.abs(by - 2 * (right[i] ?? 0))).toBeLessThan(1e-6);
      });
    }
    expect(bitsOf(givenWeights)).toEqual(before);
    expect(step.carried.filter(({ input }) => input.startsWith("l1."))).toEqual([]);
    expect([...runner.fixed.keys()]).toContain("l1.weight@left");
    await runner.release();
  });

  it("normalises by the batch, and carries no running statistics", async () => {
    const graph = smallCnn();
    const step = await stepOfStar(graph);
    expect(step.carried.map(({ role }) => role)).not.toContain("statistic");
    expect([...step.graph.weights.keys()].every((name) => name.endsWith("@star"))).toBe(true);
    const weights = createCheckpoint(randomWeights(graph, 1));
    const runner = await createStepRunner(step, engine, joinPoints(step, new Map([["star", weights]])), {
      seed: 0,
      threads: 1,
    });
    const inputs = createBlendInputs(step);
    inputs.place("anchor", randomWeights(graph, 2));
    inputs.weigh([0.5, 0.5]);
    const losses: number[] = [];
    for (let at = 0; at < 30; at++) {
      const feeds = new Map([...feedsOf(step, [2, 4, 4], 0), ...inputs.tensors]);
      losses.push((await runner.run({ step: at, learningRate: 0.1 }, feeds)).loss);
    }
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
    await runner.release();
  });

  it("refuses inputs that do not fit its points", async () => {
    const graph = smallMlp();
    const step = await stepOfStar(graph);
    const inputs = createBlendInputs(step);
    expect(() => inputs.weigh([1])).toThrow(/one coefficient: got 1 for 2/);
    expect(() => inputs.place("star", new Map())).toThrow(/there is no "star"/);
    expect(() => inputs.place("anchor", new Map())).toThrow(/every weight: there is no "l0.weight"/);
    expect(() => joinPoints(step, new Map())).toThrow(/there is none for "star"/);
    expect(() => joinPoints(step, new Map([["star", createCheckpoint({})]]))).toThrow(
      /there is no "l0.weight"/,
    );
    expect(() => takePoint(step, "anchor", new Map())).toThrow(/must be a trained one/);
    const { blend: _, ...withoutBlend } = step;
    expect(() => joinPoints(withoutBlend, new Map())).toThrow(/must be made with a blend/);
  });
});
