import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCheckpoint, openCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { formatTunedRecipe, planTuneMerge, type TuneMergeOptions, tuneMerge } from "@isthmus/merge-learning";
import { mergeByPlan } from "@isthmus/merging";
import { openRecipe, parseRecipe, runRecipe } from "@isthmus/recipe";
import { describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { waves } from "../../../test/helpers/waves.ts";
import { affineTensors } from "../src/coefficients/affine-methods.ts";
import { groupCoefficients } from "../src/coefficients/coefficient-groups.ts";
import { createMergedNetwork, openDirections } from "../src/coefficients/open-directions.ts";
import { saveTwoHeaded, twoHeadedTask, twoHeadedWeights } from "./two-headed.ts";

let folder: string;
let paths: readonly [base: string, a: string, b: string];
inFreshFolders(async (path) => {
  folder = path;
  paths = await saveTwoHeaded(path);
});

const recipeOf = (settings: object, [a, b]: readonly object[] = []) => {
  const [base, first, second] = paths;
  const models = [
    { model: first, ...a },
    { model: second, ...b },
  ];
  return parseRecipe(JSON.stringify({ base_model: base, models, ...settings }));
};
const plain = () => recipeOf({ merge_method: "task_arithmetic" });
const tasks = [twoHeadedTask(0), twoHeadedTask(1)];
const few: TuneMergeOptions = { steps: 8, learningRate: 0.05, batch: 4, seed: 3 };

/** Computes what the expert of a task gives for its examples, `[6, 3]`. */
function outputsOf(task: 0 | 1): Tensor {
  const weights = twoHeadedWeights(task + 1);
  const numbers = (name: string) => weights.get(name)?.data as Float32Array;
  const layer = (input: readonly number[], name: string) =>
    Array.from(numbers(`${name}.bias`), (bias, row) =>
      input.reduce((sum, x, k) => sum + x * Number(numbers(`${name}.weight`)[row * input.length + k]), bias),
    );
  const inputs = waves([6, 5], 10 + 7 * task, 1.5).data as Float32Array;
  const rows = Array.from({ length: 6 }, (_, i) => Array.from(inputs.subarray(5 * i, 5 * i + 5)));
  const outputs = rows.map((row) => layer(layer(row, "a").map(Math.tanh), `heads.${task}`));
  return { dtype: "f32", shape: [6, 3], data: Float32Array.from(outputs.flat()) };
}

describe("tuneMerge()", () => {
  it.each([0, 3, 7])("aborted after %i steps, goes on to the same bytes", async (steps) => {
    const whole = await tuneMerge(plain(), tasks, few);
    const statePath = join(folder, "tune.state.safetensors");
    const stop = new AbortController();
    if (steps === 0) stop.abort();
    const aborted = tuneMerge(plain(), tasks, {
      ...few,
      statePath,
      signal: stop.signal,
      onProgress: ({ step }) => step === steps && step > 0 && stop.abort(),
    });
    await expect(aborted).rejects.toThrow(/abort/i);
    const resumed = await tuneMerge(plain(), tasks, { ...few, statePath, resume: true });
    expect(resumed).toEqual({ ...whole, resumedAt: steps });
    await expect(tuneMerge(plain(), tasks, { ...few, statePath })).rejects.toThrow(/must not replace/);
    const other = tuneMerge(plain(), tasks, { ...few, statePath, resume: true, batch: 5 });
    await expect(other).rejects.toThrow(/"batch" is 4 there and 5 here/);
  });

  it("writes a recipe whose merge has what was measured", async () => {
    const result = await tuneMerge(plain(), tasks, { ...few, objective: "loss", by: "tensor" });
    const text = formatTunedRecipe(result, { recipe: "recipe.yml", seed: 3 });
    expect(text).toContain("# its loss on labels in 8 steps, seed 3.");
    writeFileSync(join(folder, "tuned.yml"), text);
    const tuned = parseRecipe(text);
    expect(tuned).toEqual(result.recipe);
    await runRecipe(tuned, join(folder, "merged.safetensors"), { check: false });
    const merged = await openCheckpoint(join(folder, "merged.safetensors"));
    const again = await tuneMerge(tuned, tasks, { ...few, objective: "loss", by: "tensor", steps: 1 });
    expect(again.tasks.map(({ before }) => before)).toEqual(result.tasks.map(({ after }) => after));
    expect(await checkpointNumbers(merged)).not.toEqual(
      await checkpointNumbers(createCheckpoint(twoHeadedWeights(1))),
    );
    await merged.close();
  });

  it("learns heads of numbers by their distance from the expert's, and by no entropy", async () => {
    const ofNumbers = ([0, 1] as const).map((task) => ({
      ...twoHeadedTask(task),
      data: createDataSet(waves([6, 5], 10 + 7 * task, 1.5), outputsOf(task)),
    }));
    const own = { ...few, objective: "distillation", by: "model", batch: 6, bounds: [0, 1] } as const;
    const { losses, tasks: measured } = await tuneMerge(plain(), ofNumbers, { ...own, steps: 60 });
    // The labels are what the experts compute, so that the distance from these is the squared error.
    const [one, two] = measured.map(({ before }) => before.loss);
    expect(losses[0]).toBeCloseTo(((one ?? 0) + (two ?? 0)) / 2, 5);
    expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? 0));
    await expect(tuneMerge(plain(), ofNumbers, { ...few, objective: "entropy" })).rejects.toThrow(
      /must have logits of classes: on .* its output is numbers/,
    );
  });

  it("keeps weights within bounds, and of a sum", async () => {
    const limits = { ...few, bounds: [0.1, 0.45], sum: 0.5 } as const;
    const { groups } = await tuneMerge(plain(), tasks, { ...limits, learningRate: 0.3 });
    for (const { weights } of groups) {
      expect((weights[0] ?? 0) + (weights[1] ?? 0)).toBeCloseTo(0.5, 5);
      expect(Math.min(...weights)).toBeGreaterThanOrEqual(0.1 - 1e-6);
    }
    await expect(tuneMerge(plain(), tasks, { ...few, sum: 5, bounds: [0, 1] })).rejects.toThrow(
      /2 weights in \[0, 1\] must be able to have the sum 5/,
    );
  });

  it.each([
    ["linear", { normalize: true }, { weight: [0.7, 0.2] }],
    ["task_arithmetic", { lambda: 0.4, normalize: true }, { weight: [-0.7, 0.2] }],
    ["dare_linear", { density: 0.6, rescale: true }, { weight: [0.7, -0.2] }],
    ["breadcrumbs", { density: 0.5, gamma: 0.1 }, { weight: [0.5, 0.2] }],
    ["della_linear", { density: 0.5, epsilon: 0.2 }, { weight: [1.5, 0.2] }],
    ["ties", { density: 0.5, consensus_method: "count", normalize: false }, { weight: [1.5, 0.01] }],
    ["dare_ties", { density: 0.5, consensus_method: "count", normalize: false }, { weight: [0.3, 0.6] }],
  ] as const)(
    "takes the merge by %s for a sum of weights times changes, which it is",
    async (method, settings, { weight }) => {
      const own = weight.map((value) => ({ parameters: { weight: value } }));
      const base = method === "linear" ? { base_model: undefined } : {};
      const { plan, close } = await openRecipe(
        recipeOf({ merge_method: method, ...base, parameters: settings }, own),
        { seed: 5 },
      );
      const tensors = affineTensors(plan);
      const groups = groupCoefficients(tensors, "model");
      const directions = await openDirections(plan, tensors, 2);
      const merged = await createMergedNetwork(mergeByPlan(plan), directions, groups);
      const total = "normalize" in settings && settings.normalize ? weight[0] + weight[1] : 1;
      merged.place(Float64Array.from(weight, (value) => value / total));
      const expected = await checkpointNumbers(mergeByPlan(plan));
      const got = await checkpointNumbers(createCheckpoint(merged.tensors));
      for (const [name, numbers] of Object.entries(expected))
        for (const [i, value] of numbers.entries()) expect(got[name]?.[i]).toBeCloseTo(value, 5);
      await close();
    },
  );

  it("learns the same if the base is listed among the models, and if a model is a recipe", async () => {
    const { groups } = await tuneMerge(plain(), tasks, few);
    const [base, first, second] = paths;
    const copied = { merge_method: "linear", models: [{ model: second }] };
    const models = [{ model: base }, { model: first }, { model: copied }];
    const written = { merge_method: "task_arithmetic", base_model: base, models };
    const result = await tuneMerge(parseRecipe(JSON.stringify(written)), tasks, few);
    expect(result.groups).toEqual(groups);
    expect(result.models).toEqual(["a", "model 2"]);
    expect(result.recipe.models?.[0]).toEqual({ model: base });
  });

  it("finds the same in closed form for matrices [inputs, outputs]", async () => {
    const options = { objective: "output-space", by: "tensor" } as const;
    const { groups } = await tuneMerge(plain(), tasks, options);
    await saveTwoHeaded(folder, { inputsFirst: true });
    const first = { inputsFirst: true };
    const transposed = await tuneMerge(plain(), [twoHeadedTask(0, first), twoHeadedTask(1, first)], options);
    const weightsOf = (found: typeof groups) => found.flatMap(({ weights }) => weights);
    for (const [i, weight] of weightsOf(groups).entries())
      expect(weightsOf(transposed.groups)[i]).toBeCloseTo(weight, 5);
  });

  it("plans what it would learn without reading weights", async () => {
    const { models, groups } = await planTuneMerge(plain(), { by: "layer" });
    expect(models).toEqual(["a", "b"]);
    expect(groups.map(({ name, start }) => [name, ...start])).toEqual([
      ["a", 0.3, 0.3],
      ["heads.0", 0.3, 0.3],
      ["heads.1", 0.3, 0.3],
    ]);
  });
});

describe("tuneMerge() refuses", () => {
  it.each([
    [{ merge_method: "model_stock" }, /by model_stock as its result must be a sum.*linear, task_arithmetic/],
    [{ merge_method: "ties", parameters: { density: 0.5 } }, /consensus_method: count and normalize: false/],
    [
      {
        merge_method: "task_arithmetic",
        parameters: { weight: [{ filter: "bias", value: 1 }, { value: 0.5 }] },
      },
      /"a.bias" and "a.weight" as their weights must be the same.*learn --by tensor/,
    ],
  ])("a recipe that is no sum of weights times changes: %j", async (settings, message) => {
    await expect(tuneMerge(recipeOf(settings), tasks, few)).rejects.toThrow(message);
  });

  it("networks with numbers that are not finite, naming the tensor", async () => {
    const weights = twoHeadedWeights(1);
    const broken: Tensor = { dtype: "f32", shape: [4], data: Float32Array.of(1, Number.NaN, 0, 0) };
    await saveCheckpoint(createCheckpoint(new Map([...weights, ["a.bias", broken]])), paths[1], {
      overwrite: true,
      allowNonFinite: true,
    });
    await expect(tuneMerge(plain(), tasks, few)).rejects.toThrow(/element 1 of "a.bias" is NaN/);
  });

  it("networks of other shapes", async () => {
    const weights = new Map([...twoHeadedWeights(1), ["a.bias", waves([5], 1, 1)]]);
    await saveCheckpoint(createCheckpoint(weights), paths[1], { overwrite: true });
    await expect(tuneMerge(plain(), tasks, few)).rejects.toThrow(/a\.bias/);
  });

  it("data that do not fit the graph, or without an expert of their own", async () => {
    const [first, second] = tasks;
    if (first === undefined || second === undefined) throw new Error("two tasks");
    const wide = { ...first, data: createDataSet(waves([6, 7], 1, 1), Int32Array.of(0, 1, 2, 0, 1, 2)) };
    await expect(tuneMerge(plain(), [wide, second], few)).rejects.toThrow(/\[7\]|7/);
    const three = [first, second, first];
    await expect(tuneMerge(plain(), three, { ...few, objective: "distillation" })).rejects.toThrow(
      /each network must have data of its own: there are 2 networks \(a, b\) and 3 data sets/,
    );
    await expect(tuneMerge(plain(), [], few)).rejects.toThrow(/there must be data/);
  });

  it("a state that is none", async () => {
    const statePath = join(folder, "tune.state.safetensors");
    writeFileSync(statePath, "not a state");
    await expect(tuneMerge(plain(), tasks, { ...few, statePath, resume: true })).rejects.toThrow(
      /Cannot resume from/,
    );
    await saveCheckpoint(createCheckpoint(twoHeadedWeights(1)), statePath, { overwrite: true });
    await expect(tuneMerge(plain(), tasks, { ...few, statePath, resume: true })).rejects.toThrow(
      /must be a state of tuning a merge/,
    );
  });
});
