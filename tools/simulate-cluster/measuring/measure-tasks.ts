import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TaskCost } from "../measured.ts";
import { fitCost, type TaskSample } from "./fit-cost.ts";
import { type DescribedTask, netOf, wordOf, workOf } from "./task-work.ts";

interface Group {
  readonly samples: TaskSample[];
  readonly files: Record<string, number>;
}

/** A folder of a study that was run with one worker. */
export interface StudyRun {
  readonly folder: string;
  /** Share of the clock in which the run had a core: on a busy machine tasks take longer than their work. */
  readonly share: number;
}

/** Measures what tasks take, by runs of studies. */
export async function measureTasks(runs: readonly StudyRun[]): Promise<Readonly<Record<string, TaskCost>>> {
  const groups = new Map<string, Group>();
  for (const { folder, share } of runs) {
    const tasks = join(folder, "tasks");
    const keys = (await readdir(tasks)).filter((key) => !key.startsWith("."));
    for (const key of keys.sort()) await addTask(join(tasks, key), share, groups);
  }
  const costs = [...groups].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
  return Object.fromEntries(
    costs.map(([name, { samples, files }]) => [name, { ...fitCost(samples), files }]),
  );
}

async function addTask(folder: string, share: number, groups: Map<string, Group>): Promise<void> {
  const task = (await readJson(join(folder, "result.json"))) as DescribedTask;
  const { seconds } = (await readJson(join(folder, "time.json"))) as { readonly seconds: number };
  const name = `${task.kind} ${netOf(task)}`;
  const group = groups.get(name) ?? { samples: [], files: {} };
  groups.set(name, group);
  group.samples.push({ ...workOf(task), seconds: share * seconds });
  for (const file of await readdir(folder)) {
    const word = wordOf(file);
    if (word !== "time") group.files[word] = (await stat(join(folder, file))).size;
  }
}

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
