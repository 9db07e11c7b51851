import { readFileSync } from "node:fs";
import { gradient } from "@isthmus/autodiff";
import { at, type Checkpoint, createCheckpoint, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { createDataSet, createTokenDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type Graph, specialize } from "@isthmus/graph";
import { GraphBuilder, gemm, tanh } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { attachLoss, distill, type NextTokenLoss } from "@isthmus/training";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { integers, numbersOf } from "../../../test/helpers/run-steps.ts";
import { waves } from "../../../test/helpers/waves.ts";

interface Trajectory {
  readonly losses: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

/** What PyTorch and transformers compute, in f64: tools/golden/healing.py. */
const golden: {
  readonly losses: readonly {
    readonly shape: number[];
    readonly temperature: number;
    readonly weights: number[] | null;
    readonly value: number;
    readonly gradient: number[];
  }[];
  readonly steps: number;
  readonly learningRate: number;
  readonly mlp: Trajectory;
  readonly llama: Trajectory & { readonly config: object };
  readonly mixtral: {
    readonly config: object;
    readonly cases: readonly (Trajectory & {
      readonly active: number;
      readonly gradients: Readonly<Record<string, readonly number[]>>;
    })[];
  };
} = JSON.parse(readFileSync(new URL("golden/healing.json", import.meta.url), "utf8"));

const engine = createOnnxRuntimeEngine();

function distance(got: readonly number[], expected: readonly number[]): number {
  expect(got.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN))));
}

describe.each(golden.losses)("the divergence at temperature $temperature of $shape", (one) => {
  it("equals PyTorch's kl_div, and so does its gradient", async () => {
    const { shape, temperature, weights, value, gradient: expected } = one;
    const builder = new GraphBuilder("echo", 21);
    const logits = builder.weight("w", { dtype: "f32", shape });
    const positions = shape.slice(0, -1);
    builder.input("x", { dtype: weights === null ? "f32" : "i64", shape: positions });
    const graph = builder.build([builder.rename(logits, "y")]);
    const of: NextTokenLoss = { kind: "next-token", weighted: true };
    const objective = attachLoss(graph, {
      kind: "distillation",
      of: weights === null ? { kind: "cross-entropy" } : of,
      temperature,
    });
    const both = gradient(objective.graph, { loss: objective.loss, withRespectTo: ["w"] });
    const session = await engine.load(both, { threads: 1 });
    const examples = createTensor("f32", positions, new Float32Array(sizeOf(positions)));
    const feeds = new Map([
      ["x", weights === null ? examples : integers(Array(12).fill(0), "i64", positions)],
      ["w", waves(shape, 1, 3)],
      [objective.targets.name, waves(shape, 2, 3)],
    ]);
    // The weight of a token is that of the position before it.
    if (weights !== null) {
      const ofTokens = weights.map((_, i) => (i % 4 === 0 ? 9 : (weights[i - 1] ?? 0)));
      feeds.set("targetWeights", createTensor("f32", positions, Float32Array.from(ofTokens)));
    }
    const results = await session.run(feeds);
    await session.release();
    expect(Math.abs(Number(results.get(objective.loss)?.data[0]) - value)).toBeLessThan(1e-6);
    const got = numbersOf(results.get(gradientName(objective.loss, "w")) as Tensor);
    expect(distance(got, expected)).toBeLessThan(1e-6);
  });
});

/** Steps of AdamW on all examples of the experts in turn. */
const options = {
  seed: 3,
  steps: golden.steps,
  threads: 1,
  optimizer: { kind: "adamw", weightDecay: 0.01 },
  schedule: { kind: "cosine", learningRate: golden.learningRate },
} as const;

async function expectTrajectory(weights: Checkpoint, losses: readonly number[], expected: Trajectory) {
  expect(distance(losses, expected.losses)).toBeLessThan(1e-5);
  for (const [name, values] of Object.entries(expected.weights)) {
    expect(distance(numbersOf(await weights.read(name)), values)).toBeLessThan(3e-5);
  }
}

describe("distill()", () => {
  it("trains a small MLP on two experts as PyTorch does", async () => {
    const shapes = { "0.weight": [4, 5], "0.bias": [4], "2.weight": [3, 4], "2.bias": [3] };
    const builder = new GraphBuilder("mlp", 21);
    const x = builder.input("x", { dtype: "f32", shape: [6, 5] });
    const [w0, b0, w2, b2] = Object.entries(shapes).map(([name, shape]) =>
      builder.weight(name, { dtype: "f32", shape }),
    );
    if (!w0 || !b0 || !w2 || !b2) throw new Error("four weights");
    const h = tanh(gemm(x, w0, { transB: true, bias: b0 }));
    const graph = builder.build([gemm(h, w2, { transB: true, bias: b2 })]);
    const network = (seed: number) =>
      createCheckpoint(
        new Map(Object.entries(shapes).map(([name, shape], k) => [name, waves(shape, seed + k, 0.8)])),
      );
    const labels = new Int32Array([0, 1, 2, 0, 1, 2]);
    const teachers = [11, 21].map((seed, i) => {
      const data = createDataSet(waves([6, 5], 31 + 10 * i, 1.5), labels);
      return { graph, weights: network(seed), data };
    });
    const losses: number[] = [];
    const { weights } = await distill(engine, network(1), teachers, {
      ...options,
      batch: 6,
      temperature: 2,
      onProgress: ({ loss }) => losses.push(loss),
    });
    await expectTrajectory(weights, losses, golden.mlp);
  });

  it("trains a small Llama on two experts as transformers does", async () => {
    const { graph } = networkOfConfig(golden.llama.config, { length: 6 });
    const names = [...graph.weights.keys()].sort();
    const network = (seed: number) =>
      createCheckpoint(new Map(names.map((name, k) => wave(graph, name, seed + k))));
    const teachers = [100, 200].map((seed, i) => {
      const data = createTokenDataSet(tokensOf(i + 1), { context: 6, vocabularySize: 7 });
      return { graph, weights: network(seed), data };
    });
    const losses: number[] = [];
    const { weights } = await distill(engine, network(1), teachers, {
      ...options,
      batch: 4,
      onProgress: ({ loss }) => losses.push(loss),
    });
    await expectTrajectory(weights, losses, golden.llama);
  });
});

describe.each(golden.mixtral.cases)(
  "a Mixtral with $active experts for a token",
  ({ active, ...expected }) => {
    const { graph } = networkOfConfig(
      { ...golden.mixtral.config, num_experts_per_tok: active },
      { length: 6 },
    );
    const { graph: ownGraph } = networkOfConfig(golden.llama.config, { length: 6 });
    const network = (of: Graph, seed: number) =>
      createCheckpoint(new Map([...of.weights.keys()].sort().map((name, k) => wave(of, name, seed + k))));
    const teachers = [100, 200].map((seed, i) => ({
      graph,
      ownGraph,
      weights: network(ownGraph, seed),
      data: createTokenDataSet(tokensOf(i + 1), { context: 6, vocabularySize: 7 }),
    }));

    it("has the gradients of transformers on what a dense expert predicts", async () => {
      const { ids, answers } = await answerAll(ownGraph, network(ownGraph, 100), tokensOf(1));
      const typed = await specialize({ graph, engine }, { batch: 4 });
      const of: NextTokenLoss = { kind: "next-token" };
      const objective = attachLoss(typed, { kind: "distillation", of });
      const names = Object.keys(expected.gradients);
      const both = gradient(objective.graph, { loss: objective.loss, withRespectTo: names });
      const session = await engine.load(both, { threads: 1 });
      const weights = await bindWeights(graph, network(graph, 1));
      const results = await session.run(
        new Map([...weights, [objective.examples, ids], [objective.targets.name, answers]]),
      );
      await session.release();
      expect(Number(results.get(objective.loss)?.data[0])).toBeCloseTo(at(expected.losses, 0), 5);
      for (const [name, values] of Object.entries(expected.gradients)) {
        const got = numbersOf(results.get(gradientName(objective.loss, name)) as Tensor);
        expect(distance(got, values)).toBeLessThan(2e-6);
      }
    });

    it("is healed by dense experts as transformers heals it", async () => {
      const losses: number[] = [];
      const { weights } = await distill(engine, network(graph, 1), teachers, {
        ...options,
        batch: 4,
        onProgress: ({ loss }) => losses.push(loss),
      });
      if (active > 1) return expectTrajectory(weights, losses, expected);
      // The router of one expert for a token only decays, while rounding errors turn it in transformers.
      await expectTrajectory(weights, losses, { ...expected, weights: {} });
      for (const name of Object.keys(expected.weights)) {
        const before = numbersOf(await network(graph, 1).read(name));
        const after = numbersOf(await weights.read(name));
        const share = at(after, 0) / at(before, 0);
        expect(
          distance(
            after,
            before.map((value) => share * value),
          ),
        ).toBeLessThan(1e-6);
      }
    });
  },
);

function wave({ weights }: Graph, name: string, seed: number): [string, Tensor] {
  const shape = (weights.get(name)?.shape ?? []) as number[];
  return [name, waves(shape, seed, 0.5, name.includes("norm") ? 1 : 0)];
}

/** Tokens of an expert, as tools/golden/healing.py has them. */
function tokensOf(seed: number): Uint16Array {
  return Uint16Array.from({ length: 23 }, (_, at) => (at * at * (seed + 2) + 3 * at + seed) % 7);
}

/** Returns the windows of a text, and what a network predicts on them. */
async function answerAll(graph: Graph, weights: Checkpoint, text: Uint16Array) {
  const ids = createTokenDataSet(text, { context: 6, vocabularySize: 7 }).read(0, 4).inputs;
  const [input, output] = [at(graph.inputs, 0), at(graph.outputs, 0)];
  const session = await engine.load(await specialize({ graph, engine }, { batch: 4 }), { threads: 1 });
  const long = integers(Array.from(ids.data as ArrayLike<number>, Number), "i64", [4, 6]);
  const results = await session.run(new Map([...(await bindWeights(graph, weights)), [input.name, long]]));
  await session.release();
  return { ids: long, answers: results.get(output.name) as Tensor };
}
