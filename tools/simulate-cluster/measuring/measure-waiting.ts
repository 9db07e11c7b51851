import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { planStudy, readStudy, restrictStudy, type StudyDescription } from "@isthmus/study";
import { createTask, openTaskStore, readTaskResult, runTasks, type Task } from "@isthmus/tasks";

/** What the waiting process takes, in seconds. */
export interface WaitingMeasurement {
  /** For planning a study, whatever it is of, and more for each task. */
  readonly plan: number;
  readonly planPerTask: number;
  /** For noting one result, and more for each task that is not finished. */
  readonly note: number;
  readonly notePerUnfinished: number;
  /** For reading one result from a local disk; part of `note`. */
  readonly read: number;
}

const STUDY = fileURLToPath(new URL("../../../packages/cli/studies/star-table.yaml", import.meta.url));
/** Numbers of tasks whose notes are timed. */
const COUNTS = { few: 500, many: 4000 } as const;
/** Tasks that run at once, as on a cluster. */
const CAPACITY = 50;

/** Measures the process that waits for results: how it plans, and notes results one by one. */
export async function measureWaiting(): Promise<WaitingMeasurement> {
  const planning = await measurePlan();
  // The first run warms up.
  await measureRun(COUNTS.few);
  const few = await measureRun(COUNTS.few);
  const many = await measureRun(COUNTS.many);
  const read = await measureRead();
  // Half of the tasks are unfinished on average.
  const notePerUnfinished = Math.max(0, many - few) / ((COUNTS.many - COUNTS.few) / 2);
  const note = Math.max(0, few - (notePerUnfinished * COUNTS.few) / 2) + read;
  return { ...planning, note, notePerUnfinished, read };
}

const secondsFrom = (time: number): number => (performance.now() - time) / 1000;

/** Plans one width of the study and all of it: both read the same examples. */
async function measurePlan(): Promise<Pick<WaitingMeasurement, "plan" | "planPerTask">> {
  const whole = await readStudy(STUDY);
  const planOf = async (study: StudyDescription): Promise<readonly [seconds: number, tasks: number]> => {
    const began = performance.now();
    const { tasks } = await planStudy(study, {
      engine: createOnnxRuntimeEngine().name,
      openData: (name, inputs = []) => openDataSet(name, { inputs }),
    });
    return [secondsFrom(began), tasks.length];
  };
  // The first plan warms up.
  const part = restrictStudy(whole, { width: ["64"] });
  await planOf(part);
  const [[some, few], [all, many]] = [await planOf(part), await planOf(whole)];
  const planPerTask = Math.max(0, all - some) / (many - few);
  return { plan: Math.max(0, some - planPerTask * few), planPerTask };
}

const makeTask = (index: number): Task =>
  createTask({ name: "none", version: 1 }, "none", { params: { index }, inputs: {}, label: `task ${index}` });

/**
 * Measures the seconds of a task that does nothing, in a store that keeps nothing, on a full executor. Tasks
 * end one by one, as on a cluster: if many ended at once, the waiting process would look through the others
 * once for all of them.
 */
async function measureRun(count: number): Promise<number> {
  const tasks = Array.from({ length: count }, (_, index) => makeTask(index));
  const ends: (() => void)[] = [];
  const endOne = (): void => {
    ends.shift()?.();
  };
  const run = (): Promise<object> =>
    new Promise((resolve) => {
      ends.push(() => resolve({}));
      setImmediate(endOne);
    });
  const began = performance.now();
  await runTasks(tasks, {
    store: {
      folderOf: (key) => key,
      read: async () => undefined,
      begin: async () => undefined,
      finish: async () => undefined,
      close: async () => undefined,
    },
    executor: { capacity: CAPACITY, run },
  });
  return secondsFrom(began) / count;
}

async function measureRead(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "isthmus-waiting-"));
  const tasks = Array.from({ length: COUNTS.few }, (_, index) => makeTask(index));
  const store = await openTaskStore(folder);
  try {
    for (const task of tasks) {
      await store.begin(task.key);
      await store.finish(task, { losses: Array.from({ length: 40 }, (_, index) => index / 7) }, 1);
    }
    const began = performance.now();
    for (const { key } of tasks) await readTaskResult(folder, key);
    return secondsFrom(began) / tasks.length;
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}
