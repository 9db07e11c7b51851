/**
 * Merges three networks that were fine-tuned from one on three tasks, by every method, and measures the results.
 *
 * Each method is tried with a few settings; the one that is best on examples of the training sets is measured on the
 * test sets. Writes one JSON line a method to `merges.jsonl`, from which a run that was interrupted goes on, and
 * `result.json` and `index.html`.
 *
 *     npx tsx --conditions=@isthmus/source tools/three-tasks/merge-tasks.ts --in FOLDER --out FOLDER
 *
 * The first FOLDER is what `train.py` beside this file wrote. `--only` names methods, `--validation` and `--test` say how
 * many examples of each training set and test set are used, the first ones.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { at, type Checkpoint, createCheckpoint, openCheckpoint, type Tensor } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type BoundArchitecture, bindArchitecture, type DataSet } from "@isthmus/graph";
import { createProducts } from "@isthmus/linear-algebra";
import {
  MERGE_METHODS,
  METHODS_WITH_DATA,
  type MergeMethod,
  type MergeStatistic,
  merge,
} from "@isthmus/merging";
import { judgeByExamples } from "@isthmus/recipe";
import { renderResultPage } from "@isthmus/report";
import { measureGrams } from "@isthmus/statistics";
import type { StudyResult } from "@isthmus/study";
import { measureFisher } from "@isthmus/training";
import { openArchitecture } from "@isthmus/zoo";
import { type Accuracies, meanOf, openRows, TASKS, type Task } from "./rows.ts";
import { NOT_TRIED, SETTINGS, type Setting } from "./settings.ts";

const { values: args } = parseArgs({
  options: {
    in: { type: "string" },
    out: { type: "string" },
    only: { type: "string" },
    validation: { type: "string", default: "200" },
    test: { type: "string", default: "1000" },
  },
});
const folder = args.in ?? "";
const out = args.out ?? "";
if (folder === "" || out === "") throw new Error("give --in FOLDER, which train.py wrote, and --out FOLDER");

const engine = createOnnxRuntimeEngine();
const products = createProducts(engine);
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

/** Measures what methods with data need of each network on training examples of its task. */
const MEASURES = {
  grams: async (bound: BoundArchitecture, network: Checkpoint, data: DataSet) =>
    (await measureGrams(bound, network, data)).grams,
  fisher: measureFisher,
};
const measured = new Map<MergeStatistic, Promise<readonly Checkpoint[]>>();
function measureAll(needs: MergeStatistic): Promise<readonly Checkpoint[]> {
  const found =
    measured.get(needs) ??
    Promise.all(
      TASKS.map(async (task, i) => {
        const { data, architecture } = await openTask(task, "train", `@${args.validation}`);
        const rules = { exportedFrom: base, unread: "keep" } as const;
        const bound = await bindArchitecture(architecture, [at(networks, i)], rules);
        const statistic = await MEASURES[needs](bound, at(bound.networks, 0).network, data);
        // The head of a task is in its own graph alone.
        const shared = [...statistic.tensors.keys()].filter((name) => !name.startsWith("heads."));
        return readWhole(statistic, shared);
      }),
    );
  measured.set(needs, found);
  return found;
}
const METHODS = new Map([...MERGE_METHODS, ...METHODS_WITH_DATA]);

const onTraining = await createJudge("train", `@${args.validation}`);
const onTest = await createJudge("test", `@${args.test}`);

/** Reads tensors of a network into memory, as each task reads them again. */
async function readWhole(network: Checkpoint, names = [...network.tensors.keys()]): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of names) tensors.set(name, await network.read(name));
  return createCheckpoint(tensors);
}

/** Merges by one method with each of its settings, and measures the best. */
async function tryMethod(method: MergeMethod, settings: readonly Setting[]) {
  const statistics = method.needs === undefined ? [] : await measureAll(method.needs);
  const began = process.cpuUsage();
  const make = (parameters: Setting["parameters"]) =>
    readWhole(
      merge(networks, {
        method,
        parameters,
        seed: 1,
        products,
        measured: statistics,
        ...(method.networks.base === "required" ? { base } : {}),
      }),
    );
  const isForTask = "task" in method.parameters;
  /** Makes the merged network; of a method that makes a network for each task, all of them. */
  const makeAll = async ({ parameters }: Setting): Promise<readonly Checkpoint[]> =>
    isForTask ? Promise.all(TASKS.map((_, task) => make({ ...parameters, task }))) : [await make(parameters)];
  const measure = async (by: typeof onTest, made: readonly Checkpoint[]): Promise<Accuracies> => {
    if (!isForTask) return by(at(made, 0));
    const each = await Promise.all(TASKS.map((task, i) => by(at(made, i), [task])));
    return Object.assign({}, ...each);
  };
  let best: { setting: Setting; made: readonly Checkpoint[]; mean: number } | undefined;
  for (const setting of settings) {
    const made = await makeAll(setting);
    const mean = settings.length === 1 ? 0 : meanOf(await measure(onTraining, made));
    if (best === undefined || mean > best.mean) best = { setting, made, mean };
  }
  if (best === undefined) throw new Error(`${method.name} has no settings`);
  const { user, system } = process.cpuUsage(began);
  return {
    settings: describe(best.setting.parameters),
    ...(await measure(onTest, best.made)),
    seconds: (user + system) / 1e6,
  };
}

const chosen = args.only?.split(",");
const known = [...METHODS].filter(([name]) => chosen?.includes(name) ?? true);
const unsettled = known.filter(([name]) => !(name in SETTINGS) && !(name in NOT_TRIED));
if (unsettled.length > 0) throw new Error(`settings.ts says nothing of ${unsettled.map(([name]) => name)}`);
const { rows, add } = await openRows(join(out, "merges.jsonl"), {
  validation: args.validation,
  test: args.test,
});
const single = { settings: "", seconds: null };
await add("the base", async () => ({ ...single, ...(await onTest(base)) }));
for (const [i, task] of TASKS.entries())
  await add(`fine-tuned on ${task}`, async () => ({ ...single, ...(await onTest(at(networks, i))) }));
for (const [name, method] of known) {
  const settings = SETTINGS[name];
  if (settings !== undefined) await add(name, () => tryMethod(method, settings));
}

function describe(parameters: Setting["parameters"]): string {
  return Object.entries(parameters)
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`)
    .join(", ");
}

const merged = rows.filter(({ seconds }) => seconds !== null).sort((a, b) => b.mean - a.mean);
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
        { key: "seconds", title: "Seconds of the processor to choose settings and merge" },
      ],
      rows: [...rows.filter(({ seconds }) => seconds === null), ...merged].map((row) => ({ ...row })),
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
await writeFile(join(out, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
await writeFile(join(out, "index.html"), await renderResultPage({ title: result.title, result }));
await Promise.all([base, ...networks].map((network) => network.close()));
