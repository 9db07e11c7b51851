/**
 * Learns the weights of a merge of three networks that were fine-tuned from one on three tasks, from examples of the
 * training sets, by every objective and granularity, and measures the results on the test sets.
 *
 * Prints one JSON line a setting: weights, accuracy on each task, and seconds of the processor, of all its cores together.
 *
 *     npx tsx --conditions=@isthmus/source tools/three-tasks/tune-tasks.ts --in FOLDER --test 2000 [--only entropy] [--by tensor]
 *
 * FOLDER is what `train.py` beside this file wrote. `merge-tasks.ts` searches a grid on the same examples. `--only` names
 * objectives, `ties`, and `paper` for the steps of AdaMerging; `--by` names granularities.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { openTunedTasks, type TaskScore, type TuneMergeOptions, tuneMerge } from "@isthmus/merge-learning";
import { parseRecipe } from "@isthmus/recipe";

const TASKS = ["mnist", "fashion", "animals"] as const;

const { values: args } = parseArgs({
  options: {
    in: { type: "string" },
    examples: { type: "string", default: "1000" },
    only: { type: "string", default: "entropy,distillation,loss,output-space,ties,paper" },
    by: { type: "string", default: "model,layer,tensor" },
    test: { type: "string", default: "" },
    steps: { type: "string", default: "100" },
    rate: { type: "string", default: "0.01" },
    batch: { type: "string", default: "16" },
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
  const share = (value: number) => Number(value.toFixed(4));
  const meanOf = (scores: readonly TaskScore[]) =>
    share(scores.reduce((sum, { error }) => sum + (1 - (error ?? Number.NaN)) / TASKS.length, 0));
  const { objective, by, ...steps } = options;
  const rules = objective === "output-space" ? {} : steps;
  const row = {
    name: `tune-merge, ${method}`,
    settings: [objective, `by ${by}`, ...Object.entries(rules).map(([key, value]) => `${key} ${value}`)].join(
      ", ",
    ),
    ...Object.fromEntries(
      TASKS.map((task, i) => [task, share(1 - (result.tasks[i]?.after.error ?? Number.NaN))]),
    ),
    mean: meanOf(result.tasks.map(({ after }) => after)),
    seconds: Number(seconds.toFixed(1)),
    meanBefore: meanOf(result.tasks.map(({ before }) => before)),
    losses: [result.losses[0], result.losses.at(-1)],
    meanWeights: result.models.map((_, k) =>
      share(
        result.groups.reduce((sum, { weights }) => sum + (weights[k] ?? Number.NaN), 0) /
          result.groups.length,
      ),
    ),
  };
  console.log(JSON.stringify(row));
}

const gradients = { steps: Number(args.steps), learningRate: Number(args.rate), batch: Number(args.batch) };
const training = dataOf("train", `@${args.examples}`);
const [only, granularities] = [args.only.split(","), args.by.split(",")];
for (const objective of ["entropy", "distillation", "loss", "output-space"] as const) {
  if (!only.includes(objective)) continue;
  for (const by of ["model", "layer", "tensor"] as const)
    if (granularities.includes(by)) await tune("task_arithmetic", { objective, by, ...gradients }, training);
}
if (only.includes("ties"))
  for (const objective of ["entropy", "distillation"] as const)
    await tune("ties", { objective, by: "tensor", ...gradients }, training);
if (only.includes("paper")) {
  const paper = { objective: "entropy", by: "tensor", steps: 500, learningRate: 0.001, batch: 16 } as const;
  await tune("task_arithmetic", paper, training);
}
