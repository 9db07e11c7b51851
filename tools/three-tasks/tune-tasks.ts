/**
 * Learns the weights of a merge of three networks that were fine-tuned from one on three tasks, from examples of the
 * training sets, by every objective and granularity, and measures the results on the test sets.
 *
 * Prints one JSON line a setting: weights, accuracy on each task, and seconds of the processor, of all its cores together.
 *
 *     npx tsx --conditions=@isthmus/source tools/three-tasks/tune-tasks.ts --in FOLDER [--examples 1000] [--test 2000]
 *
 * FOLDER is what `train.py` beside this file wrote. `merge-tasks.ts` searches a grid on the same examples.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { openTunedTasks, type TuneMergeOptions, tuneMerge } from "@isthmus/merge-learning";
import { parseRecipe } from "@isthmus/recipe";

const TASKS = ["mnist", "fashion", "animals"] as const;

const { values: args } = parseArgs({
  options: {
    in: { type: "string" },
    examples: { type: "string", default: "1000" },
    only: { type: "string" },
    test: { type: "string", default: "" },
    steps: { type: "string", default: "100" },
    rate: { type: "string", default: "0.01" },
    batch: { type: "string", default: "64" },
  },
});
const folder = args.in ?? "";
if (folder === "") throw new Error("give --in FOLDER, which train.py wrote");
const at = (name: string) => join(folder, `${name}.safetensors`);

const recipeBy = (method: string, parameters: object) =>
  parseRecipe(
    JSON.stringify({
      merge_method: method,
      base_model: at("base"),
      models: TASKS.map((task) => ({ model: at(task) })),
      parameters,
    }),
  );
const recipes = {
  task_arithmetic: recipeBy("task_arithmetic", {}),
  ties: recipeBy("ties", { density: 0.2, consensus_method: "count", normalize: false }),
};

const dataOf = (part: "train" | "test", limit: string) =>
  TASKS.map((task) => {
    const files = ["images-idx3-ubyte", "labels-idx1-ubyte"].map((end) =>
      join(folder, `${task}-${part}-${end}`),
    );
    return `idx:${files.join(",")}${limit}`;
  });

/** Learns weights, and prints what they are worth. */
async function tune(method: keyof typeof recipes, options: TuneMergeOptions, data: readonly string[]) {
  const names = {
    data,
    evalData: dataOf("test", args.test === "" ? "" : `@${args.test}`),
    graph: TASKS.map((task) => join(folder, `${task}.onnx`)),
    exportedFrom: at("base"),
    scaling: { mean: 0, std: 1 },
  };
  const { tasks, close } = await openTunedTasks(recipes[method], names, createOnnxRuntimeEngine());
  // The networks are measured before and after on the test sets, which is no part of learning.
  let [began, ended] = [process.cpuUsage(), process.cpuUsage()];
  const result = await tuneMerge(recipes[method], tasks, {
    ...options,
    onProgress({ phase, done }) {
      if (phase !== "Learning" && done < 0.5) began = process.cpuUsage();
      if (phase === "Learning") ended = process.cpuUsage();
    },
  });
  await close();
  const seconds = (ended.user + ended.system - began.user - began.system) / 1e6;
  const meanOf = (errors: readonly (number | null)[]) =>
    1 - errors.reduce<number>((sum, error) => sum + (error ?? Number.NaN) / TASKS.length, 0);
  const accuracies = result.tasks.map(({ after }) => 1 - (after.error ?? Number.NaN));
  const row = {
    method,
    ...options,
    ...Object.fromEntries(TASKS.map((task, i) => [task, accuracies[i]])),
    mean: meanOf(result.tasks.map(({ after }) => after.error)),
    meanBefore: meanOf(result.tasks.map(({ before }) => before.error)),
    seconds: Number(seconds.toFixed(1)),
    losses: [result.losses[0], result.losses.at(-1)],
    weights: result.groups.length > 1 ? undefined : result.groups[0]?.weights,
  };
  console.log(JSON.stringify(row));
}

const gradients = { steps: Number(args.steps), learningRate: Number(args.rate), batch: Number(args.batch) };
const training = dataOf("train", `@${args.examples}`);
for (const objective of ["entropy", "distillation", "loss", "output-space"] as const) {
  if (args.only !== undefined && !args.only.split(",").includes(objective)) continue;
  for (const by of ["model", "layer", "tensor"] as const)
    await tune("task_arithmetic", { objective, by, ...gradients }, training);
}
if (args.only === undefined || args.only.includes("ties"))
  for (const objective of ["entropy", "distillation"] as const)
    await tune("ties", { objective, by: "tensor", ...gradients }, training);
if (args.only === undefined || args.only.includes("paper")) {
  const paper = { objective: "entropy", by: "tensor", steps: 500, learningRate: 0.001, batch: 16 } as const;
  await tune("task_arithmetic", paper, training);
}
