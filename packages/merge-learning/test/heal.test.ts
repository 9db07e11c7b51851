import { join } from "node:path";
import { at, type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet, Graph } from "@isthmus/graph";
import { batchNorm, GraphBuilder, gemm, relu } from "@isthmus/graph/builder";
import { type Healing, type HealOptions, heal, openHealing } from "@isthmus/merge-learning";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { numbersOf } from "../../../test/helpers/run-steps.ts";
import { waves } from "../../../test/helpers/waves.ts";
import { abortAfter } from "../../training/test/abort-after.ts";

const engine = createOnnxRuntimeEngine();
const HEADS = ["a", "b"] as const;
const CLASSES = { a: 3, b: 4 };
const BODY: Readonly<Record<string, readonly number[]>> = {
  "body.weight": [8, 5],
  "norm.weight": [8],
  "norm.bias": [8],
  "norm.mean": [8],
  "norm.variance": [8],
};

/** A body with a batch norm, and the head of one task. */
function bodyWithHead(head: (typeof HEADS)[number]): Graph {
  const builder = new GraphBuilder(head, 21);
  const x = builder.input("x", { dtype: "f32", shape: ["N", 5] as never });
  const [weight, scale, bias, mean, variance] = Object.entries(BODY).map(([name, shape]) => {
    const isStatistic = name === "norm.mean" || name === "norm.variance";
    return builder.weight(name, { dtype: "f32", shape }, isStatistic ? "statistic" : "parameter");
  });
  const last = builder.weight(`head.${head}`, { dtype: "f32", shape: [CLASSES[head], 8] });
  if (!weight || !scale || !bias || !mean || !variance) throw new Error("five weights");
  const normed = batchNorm(gemm(x, weight, { transB: true }), { scale, bias, mean, variance });
  return builder.build([gemm(relu(normed), last, { transB: true })]);
}

function network(seed: number): Checkpoint {
  const tensors = new Map<string, Tensor>();
  for (const [i, [name, shape]] of Object.entries(BODY).entries()) {
    tensors.set(name, waves(shape, seed + i, 0.5, name.startsWith("norm") && name !== "norm.bias" ? 1 : 0));
  }
  for (const head of HEADS) tensors.set(`head.${head}`, waves([CLASSES[head], 8], 50, 0.7));
  return createCheckpoint(tensors, {}, `network ${seed}`);
}

const graphs = HEADS.map(bodyWithHead);

function examples(seed: number, label: (i: number) => number): DataSet {
  const labels = Int32Array.from({ length: 40 }, (_, i) => label(i));
  return createDataSet(waves([40, 5], seed, 2), labels, { name: `examples ${seed}` });
}

/** Two experts, and a network of neither. */
function healing(label = (i: number) => i % 3): Healing {
  const experts = graphs.map((graph, i) => ({
    path: `expert ${i}`,
    architecture: { graph, engine },
    weights: network(2 * i + 3),
    data: examples(70 + i, label),
    evaluationData: undefined,
  }));
  return { path: "merged", network: network(1), experts, restore: (healed) => healed };
}

const rules: HealOptions = { steps: 60, batch: 8, learningRate: 0.02, seed: 5, threads: 1 };

const bytesOf = async (network: Checkpoint): Promise<Record<string, number[]>> => {
  const names = [...network.tensors.keys()];
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, numbersOf(await network.read(name))] as const)),
  );
};

describe("heal()", () => {
  let folder = "";
  inFreshFolders((made) => {
    folder = made;
  });

  it("brings a network with a head for each task near to both experts, whatever the labels are", async () => {
    const { weights, result } = await heal(healing(), rules);
    for (const { before, after } of result.experts) {
      expect(after.divergence).toBeLessThan(0.5 * before.divergence);
    }
    expect([...weights.tensors.keys()].sort()).toEqual([...network(1).tensors.keys()].sort());
    expect(result).toMatchObject({ steps: 60, resumedAt: 0, recalibrated: true });
    const other = await heal(
      healing((i) => (i * i) % 3),
      rules,
    );
    expect(await bytesOf(other.weights)).toEqual(await bytesOf(weights));
    expect(other.result.experts.map(({ before }) => before.loss)).not.toEqual(
      result.experts.map(({ before }) => before.loss),
    );
  });

  it("resumes to the same bytes, and refuses the state of another healing", async () => {
    const whole = await heal(healing(), rules);
    const statePath = join(folder, "healed.state.safetensors");
    const kept = { ...rules, statePath, saveEvery: 7 };
    await expect(heal(healing(), { ...kept, ...abortAfter(23) })).rejects.toThrow();
    await expect(heal(healing(), { ...kept, resume: true, temperature: 2 })).rejects.toThrow(
      /"temperature" is 1/,
    );
    await expect(heal(healing(), kept)).rejects.toThrow(/must not replace an earlier one/);
    const { weights, result } = await heal(healing(), { ...kept, resume: true });
    expect(result.resumedAt).toBe(23);
    expect(await bytesOf(weights)).toEqual(await bytesOf(whole.weights));
    expect(result.experts).toEqual(whole.result.experts);
  });

  it("leaves what is frozen, or not among what learns, and counts the rest", async () => {
    const before = await bytesOf(network(1));
    const { weights, result } = await heal(healing(), {
      ...rules,
      steps: 4,
      only: ["head.*", "norm.*"],
      freeze: ["head.b"],
    });
    const after = await bytesOf(weights);
    expect(result.parameters).toEqual({ all: 40 + 16 + 24 + 32, learned: 16 + 24 });
    expect([after["body.weight"], after["head.b"]]).toEqual([before["body.weight"], before["head.b"]]);
    expect(after["head.a"]).not.toEqual(before["head.a"]);
  });

  it("needs no labels, and leaves a network that is its own expert where it is", async () => {
    const builder = new GraphBuilder("linear", 21);
    const x = builder.input("x", { dtype: "f32", shape: ["N", 5] as never });
    const graph = builder.build([
      gemm(x, builder.weight("w", { dtype: "f32", shape: [3, 5] }), { transB: true }),
    ]);
    const weights = createCheckpoint(new Map([["w", waves([3, 5], 2, 1)]]));
    const { labels: _, ...unlabelled } = { ...examples(70, () => 0), labels: undefined };
    const data: DataSet = { ...unlabelled, labelling: "none", classes: 0 };
    const expert = {
      path: "itself",
      architecture: { graph, engine },
      weights,
      data,
      evaluationData: undefined,
    };
    const alone = {
      path: "it",
      network: weights,
      experts: [expert],
      restore: (healed: Checkpoint) => healed,
    };
    const healed = await heal(alone, { ...rules, optimizer: "sgd", learningRate: 1 });
    const [{ before, after }] = healed.result.experts as [(typeof healed.result.experts)[number]];
    expect([before.agreement, after.agreement, before.loss]).toEqual([1, 1, undefined]);
    const [got, expected] = [numbersOf(await healed.weights.read("w")), numbersOf(await weights.read("w"))];
    expect(Math.max(...got.map((value, i) => Math.abs(value - at(expected, i))))).toBeLessThan(1e-5);
  });

  it("takes no steps if none are asked for", async () => {
    const { weights } = await heal(healing(), { ...rules, steps: 0 });
    const [after, before] = [await bytesOf(weights), await bytesOf(network(1))];
    expect(after["body.weight"]).toEqual(before["body.weight"]);
  });

  it.each<readonly [HealOptions, RegExp]>([
    [{ only: ["tail.*"] }, /pattern "tail\.\*" as it must match a floating-point parameter: none of 8 does/],
    [{ freeze: ["*"] }, /not frozen/],
    [{ temperature: 0 }, /"temperature" must be .*: it is 0/],
    [{ batch: 41 }, /batch must be at most the data set: it is 41 of 40/],
    [{ resume: true }, /"statePath" must name a file/],
  ])("refuses %j", async (options, message) => {
    await expect(heal(healing(), { ...rules, ...options })).rejects.toThrow(message);
  });
});

describe("openHealing()", () => {
  it("refuses numbers of examples that fit the experts in no way", async () => {
    const named = { path: "m", checkpoint: network(1) };
    const names = { merged: named, engine, data: ["mnist", "mnist"] };
    await expect(openHealing({ ...names, experts: [named, named, named] })).rejects.toThrow(
      /2 values of --data as there must be one for all experts, or one for each: there are 3/,
    );
    await expect(openHealing({ ...names, experts: [] })).rejects.toThrow(/name some with --from/);
  });
});
