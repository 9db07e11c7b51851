import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TaskCost } from "../measured.ts";
import { fitCost, type TaskSample } from "./fit-cost.ts";
import { type DescribedTask, netOf, wordOf, workOf } from "./task-work.ts";

interface Group {
  readonly samples: TaskSample[];
  readonly files: Record<string, number>;
}

/** Measures what tasks take, by the folders of studies that were run. */
export async function measureTasks(studies: readonly string[]): Promise<Readonly<Record<string, TaskCost>>> {
  const groups = new Map<string, Group>();
  for (const study of studies) {
    const folder = join(study, "tasks");
    const keys = (await readdir(folder)).filter((key) => !key.startsWith("."));
    for (const key of keys.sort()) await addTask(join(folder, key), groups);
  }
  const costs = [...groups].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
  return Object.fromEntries(
    costs.map(([name, { samples, files }]) => [name, { ...fitCost(samples), files }]),
  );
}

async function addTask(folder: string, groups: Map<string, Group>): Promise<void> {
  const task = (await readJson(join(folder, "result.json"))) as DescribedTask;
  const { seconds } = (await readJson(join(folder, "time.json"))) as { readonly seconds: number };
  const name = `${task.kind} ${netOf(task)}`;
  const group = groups.get(name) ?? { samples: [], files: {} };
  groups.set(name, group);
  group.samples.push({ ...workOf(task), seconds });
  for (const file of await readdir(folder)) {
    const word = wordOf(file);
    if (word !== "time") group.files[word] = (await stat(join(folder, file))).size;
  }
}

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
