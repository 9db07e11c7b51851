/**
 * Learns the weights of a merge of three networks that were fine-tuned from one on three tasks, from examples of the
 * training sets, by every objective and granularity, and measures the results on the test sets.
 *
 * Writes one JSON line a setting to `tunings.jsonl`, from which a run that was interrupted goes on: weights, accuracy on
 * each task, and seconds of the processor, of all its cores together.
 *
 *     npx tsx --conditions=@isthmus/source tools/three-tasks/tune-tasks.ts --in FOLDER --out FOLDER [--only entropy] [--by tensor]
 *
 * The first FOLDER is what `train.py` beside this file wrote. `merge-tasks.ts` searches a grid on the same examples. `--only`
 * names objectives, `ties`, and `paper` for the steps of AdaMerging; `--by` names granularities.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { openTunedTasks, type TuneMergeOptions, tuneMerge } from "@isthmus/merge-learning";
import { parseRecipe } from "@isthmus/recipe";
import { type Accuracies, meanOf, openRows, TASKS } from "./rows.ts";

const { values: args } = parseArgs({
  options: {
    in: { type: "string" },
    out: { type: "string" },
    examples: { type: "string", default: "200" },
    only: { type: "string", default: "entropy,distillation,loss,output-space,ties,paper" },
    by: { type: "string", default: "model,layer,tensor" },
    test: { type: "string", default: "1000" },
    steps: { type: "string", default: "60" },
    rate: { type: "string", default: "0.01" },
    batch: { type: "string", default: "16" },
  },
});
const folder = args.in ?? "";
const out = args.out ?? "";
if (folder === "" || out === "") throw new Error("give --in FOLDER, which train.py wrote, and --out FOLDER");
const { add } = await openRows(join(out, "tunings.jsonl"), { examples: args.examples, test: args.test });
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
    evalData: dataOf("test", `@${args.test}`),
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
  const accuraciesOf = (when: "before" | "after") =>
    Object.fromEntries(
      TASKS.map((task, i) => [task, 1 - (result.tasks[i]?.[when].error ?? Number.NaN)]),
    ) as unknown as Accuracies;
  const parts = result.groups.length;
  return {
    settings: `mean weights ${result.models.map((_, k) => (result.groups.reduce((sum, { weights }) => sum + (weights[k] ?? Number.NaN), 0) / parts).toFixed(2)).join(", ")}`,
    ...accuraciesOf("after"),
    seconds,
    meanBefore: meanOf(accuraciesOf("before")),
    losses: [result.losses[0], result.losses.at(-1)],
  };
}

const steps = { steps: Number(args.steps), learningRate: Number(args.rate), batch: Number(args.batch) };
const training = dataOf("train", `@${args.examples}`);
const [only, granularities] = [args.only.split(","), args.by.split(",")];
const bySteps = `${args.steps} steps at ${args.rate}`;
for (const objective of ["entropy", "distillation", "loss", "output-space"] as const)
  for (const by of ["model", "layer", "tensor"] as const) {
    if (!granularities.includes(by)) continue;
    const suffix = objective === "output-space" ? "" : `, ${bySteps}`;
    const options = { objective, by, ...steps };
    if (only.includes(objective))
      await add(`${objective} by ${by}${suffix}`, () => tune("task_arithmetic", options, training));
    if (only.includes("ties") && by === "layer" && objective !== "output-space")
      await add(`\`ties\`, ${objective} by ${by}${suffix}`, () => tune("ties", options, training));
  }
/** What AdaMerging does, in whose code weights are kept within 0 and 1. */
const paper = {
  objective: "entropy",
  by: "tensor",
  steps: 500,
  learningRate: 0.001,
  batch: 16,
  bounds: [0, 1],
} as const;
for (const part of ["training", "test"] as const) {
  const data = part === "training" ? training : dataOf("test", `@${args.test}`);
  const name = `entropy by tensor, 500 steps at 0.001 on ${part} images, weights from 0 to 1`;
  if (only.includes("paper")) await add(name, () => tune("task_arithmetic", paper, data));
}
