/**
 * Merges three networks that were fine-tuned from one on three tasks, by every method, and measures the results.
 *
 * Each method is tried with a few settings; the one that is best on examples of the training sets is measured on the
 * test sets. Prints one JSON line a method, and writes `result.json` and `index.html`.
 *
 *     npx tsx --conditions=@isthmus/source tools/three-tasks/merge-tasks.ts --in FOLDER --out FOLDER
 *
 * FOLDER is what `train.py` beside this file wrote. `--only` names methods, `--validation` and `--test` say how many
 * examples of each set are used.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, createCheckpoint, openCheckpoint, type Tensor } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindArchitecture } from "@isthmus/graph";
import { MERGE_METHODS, METHODS_WITH_DATA, merge } from "@isthmus/merging";
import { judgeByExamples } from "@isthmus/recipe";
import { renderResultPage } from "@isthmus/report";
import { measureGrams } from "@isthmus/statistics";
import type { StudyResult } from "@isthmus/study";
import { openArchitecture } from "@isthmus/zoo";
import { NOT_TRIED, SETTINGS, type Setting } from "./settings.ts";

const TASKS = ["mnist", "fashion", "animals"] as const;
type Task = (typeof TASKS)[number];
type Accuracies = Readonly<Record<Task, number>>;

const { values: args } = parseArgs({
  options: {
    in: { type: "string" },
    out: { type: "string" },
    only: { type: "string" },
    validation: { type: "string", default: "1000" },
    test: { type: "string", default: "" },
  },
});
const folder = args.in ?? "";
const out = args.out ?? "";
if (folder === "" || out === "") throw new Error("give --in FOLDER, which train.py wrote, and --out FOLDER");

const engine = createOnnxRuntimeEngine();
const open = (name: string) => openCheckpoint(join(folder, `${name}.safetensors`));
const base = await open("base");
const networks = await Promise.all(TASKS.map(open));

/** Opens the graph of a task, and a part of its data. */
async function openTask(task: Task, part: "train" | "test", limit: string) {
  const files = ["images-idx3-ubyte", "labels-idx1-ubyte"].map((end) =>
    join(folder, `${task}-${part}-${end}`),
  );
  const data = await openDataSet(`idx:${files.join(",")}${limit}`, { scaling: { mean: 0, std: 1 } });
  return { data, architecture: await openArchitecture(join(folder, `${task}.onnx`), engine) };
}

/** Prepares the accuracy of networks on all tasks, on a part of their data. */
async function createJudge(part: "train" | "test", limit: string) {
  const judges = await Promise.all(
    TASKS.map(async (task) => {
      const { data, architecture } = await openTask(task, part, limit);
      const { judge } = judgeByExamples(architecture, data, {
        score: "error",
        exportedFrom: base,
        unread: "keep",
      });
      return async (network: Checkpoint) => 1 - (await judge({ network }));
    }),
  );
  return async (network: Checkpoint, of: readonly Task[] = TASKS): Promise<Accuracies> => {
    const found: [Task, number][] = [];
    for (const [i, task] of TASKS.entries()) {
      const judge = judges[i];
      if (judge !== undefined && of.includes(task)) found.push([task, await judge(network)]);
    }
    return Object.fromEntries(found) as unknown as Accuracies;
  };
}

/** Measures Gram matrices of each network on training examples of its task, for the methods that need them. */
const measuring = TASKS.map(async (task, i) => {
  const network = networks[i];
  if (network === undefined) throw new Error(`no network of ${task}`);
  const { data, architecture } = await openTask(task, "train", `@${args.validation}`);
  const bound = await bindArchitecture(architecture, [network], { exportedFrom: base, unread: "keep" });
  const { grams } = await measureGrams(bound, bound.networks[0]?.network ?? network, data);
  // The head of a task is in its own graph alone.
  const shared = [...grams.tensors.keys()].filter((name) => !name.startsWith("heads."));
  return readWhole(grams, shared);
});
const METHODS = new Map([...MERGE_METHODS, ...METHODS_WITH_DATA]);

const meanOf = (accuracies: Accuracies) =>
  TASKS.reduce((sum, task) => sum + accuracies[task] / TASKS.length, 0);

const onTraining = await createJudge("train", `@${args.validation}`);
const onTest = await createJudge("test", args.test === "" ? "" : `@${args.test}`);

const singles = [
  { name: "the base", accuracies: await onTest(base) },
  ...(await Promise.all(
    TASKS.map(async (task, i) => {
      const network = networks[i];
      if (network === undefined) throw new Error(`no network of ${task}`);
      return { name: `fine-tuned on ${task}`, accuracies: await onTest(network) };
    }),
  )),
];
const own = Object.fromEntries(
  TASKS.map((task, i) => [task, singles[i + 1]?.accuracies[task]]),
) as unknown as Accuracies;

/** Reads tensors of a network into memory, as each task reads them again. */
async function readWhole(network: Checkpoint, names = [...network.tensors.keys()]): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of names) tensors.set(name, await network.read(name));
  return createCheckpoint(tensors);
}

/** Merges by one method with each of its settings, and measures the best. */
async function tryMethod(name: string, settings: readonly Setting[]) {
  const method = METHODS.get(name);
  if (method === undefined) throw new Error(`there is no method ${name}`);
  const measured = method.needs === undefined ? [] : await Promise.all(measuring);
  const began = process.cpuUsage();
  const make = (parameters: Setting["parameters"]) =>
    readWhole(
      merge(networks, {
        method,
        parameters,
        seed: 1,
        measured,
        ...(method.networks.base === "required" ? { base } : {}),
      }),
    );
  /** Measures the merged network; of a method that makes a network for each task, each on its own task. */
  const measure = async (by: typeof onTest, { parameters }: Setting): Promise<Accuracies> => {
    if (!("task" in method.parameters)) return by(await make(parameters));
    const found: [Task, number][] = [];
    for (const [i, task] of TASKS.entries())
      found.push([task, (await by(await make({ ...parameters, task: i }), [task]))[task]]);
    return Object.fromEntries(found) as unknown as Accuracies;
  };
  let best: { setting: Setting; mean: number } | undefined;
  for (const setting of settings) {
    const mean = settings.length === 1 ? 0 : meanOf(await measure(onTraining, setting));
    if (best === undefined || mean > best.mean) best = { setting, mean };
  }
  if (best === undefined) throw new Error(`${name} has no settings`);
  const { user, system } = process.cpuUsage(began);
  const accuracies = await measure(onTest, best.setting);
  const seconds = Number(((user + system) / 1e6).toFixed(1));
  return { name, parameters: best.setting.parameters, tried: settings.length, accuracies, seconds };
}

const chosen = args.only?.split(",");
const known = [...METHODS.keys()].filter((name) => chosen?.includes(name) ?? true);
const unsettled = known.filter((name) => !(name in SETTINGS) && !(name in NOT_TRIED));
if (unsettled.length > 0) throw new Error(`settings.ts says nothing of ${unsettled.join(", ")}`);
const rows: Record<string, string | number | null>[] = [];
const add = (name: string, settings: string, accuracies: Accuracies, seconds: number | null) => {
  const mean = meanOf(accuracies);
  const normalized = TASKS.reduce((sum, task) => sum + accuracies[task] / own[task] / TASKS.length, 0);
  const shares = Object.entries({ ...accuracies, mean, normalized });
  const rounded = Object.fromEntries(shares.map(([key, value]) => [key, Number(value.toFixed(4))]));
  const row = { name, settings, ...rounded, seconds };
  rows.push(row);
  console.log(JSON.stringify(row));
};
for (const { name, accuracies } of singles) add(name, "", accuracies, null);
for (const name of known) {
  const settings = SETTINGS[name];
  if (settings === undefined) continue;
  const { parameters, accuracies, seconds } = await tryMethod(name, settings);
  add(name, describe(parameters), accuracies, seconds);
}

function describe(parameters: Setting["parameters"]): string {
  return Object.entries(parameters)
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`)
    .join(", ");
}

const merged = rows.slice(singles.length).sort((a, b) => Number(b["mean"]) - Number(a["mean"]));
const result: StudyResult = {
  kind: "study",
  title: "Three tasks in one network, by every method",
  description:
    "One small vision transformer (457,000 weights) was trained a little on MNIST, Fashion-MNIST and animal silhouettes at once, then on each of them alone, with its heads as they were. The three results are merged, and measured on all three test sets. Settings of a method were chosen on examples of the training sets.",
  tables: [
    {
      name: "accuracy",
      title: "Accuracy on the test sets",
      columns: [
        { key: "name", title: "Network" },
        { key: "settings", title: "Settings" },
        ...TASKS.map((task) => ({ key: task, title: task })),
        { key: "mean", title: "Mean" },
        { key: "normalized", title: "Mean share of the single networks" },
        { key: "seconds", title: "Seconds of the processor to choose settings" },
      ],
      rows: [...rows.slice(0, singles.length), ...merged],
    },
  ],
  figures: [
    {
      title: "Mean accuracy",
      caption: "Mean over the three tasks, of single networks and of merged ones.",
      table: "accuracy",
      mark: "bar",
      x: "name",
      y: "mean",
    },
  ],
  seed: 1,
};
await mkdir(out, { recursive: true });
await writeFile(join(out, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
await writeFile(join(out, "index.html"), await renderResultPage({ title: result.title, result }));
await Promise.all([base, ...networks].map((network) => network.close()));
