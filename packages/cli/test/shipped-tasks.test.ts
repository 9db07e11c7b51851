import { createTensor, InputError } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";
import { planSimulation, readSimulation, SIMULATION_TASKS } from "@isthmus/simulation";
import { loadStudyTasks, planStudy, readStudy } from "@isthmus/study";
import { createTask, type Task, type TaskKind } from "@isthmus/tasks";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTasks } from "../../../test/helpers/format-tasks.ts";
import { withOtherType, withStrangeKey } from "../../../test/helpers/mutate-json.ts";
import { type DescribedSort, findDescribed, listShipped } from "../src/study/find-described.ts";

const STUDY_TASKS = await loadStudyTasks();

const EXAMPLES = 1000;
const labels = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 10);
const images = createTensor("f32", [EXAMPLES, 1, 28, 28], new Float32Array(EXAMPLES * 28 * 28));
/** Stands for MNIST and Fashion-MNIST: parameters of tasks have a digest of the images, and nothing else. */
const openData = async (name: string): Promise<DataSet> => createDataSet(images, labels, { name });
const ports = { engine: "none", openData };

const planned = new Map<string, Promise<readonly Task[]>>();

/** Plans what is shipped under a name, once for all tests. */
function planShipped(sort: DescribedSort, name: string): Promise<readonly Task[]> {
  const tasks = planned.get(name) ?? planAnew(sort, name);
  planned.set(name, tasks);
  return tasks;
}

async function planAnew(sort: DescribedSort, name: string): Promise<readonly Task[]> {
  const { path } = await findDescribed(sort, name);
  const plan =
    sort === "study"
      ? await planStudy(await readStudy(path), ports)
      : await planSimulation(await readSimulation(path), ports);
  return plan.tasks;
}

/** Finds a kind as a worker does. */
function kindOf(name: string): Pick<TaskKind, "name" | "version"> & Required<Pick<TaskKind, "assertParams">> {
  const kind = STUDY_TASKS.get(name) ?? SIMULATION_TASKS.get(name);
  if (kind?.assertParams === undefined) throw new TypeError(`Kind "${name}" checks nothing`);
  const { version, assertParams } = kind;
  return { name, version, assertParams };
}

/** Options whose value may be null, too. */
const NULLABLE = /"(clipNorm|stepSize)":null/;

const shipped = (["study", "simulation"] as const).map((sort) =>
  listShipped(sort).map((name) => [sort, name] as const),
);

describe("parameters of tasks", () => {
  it.each(shipped.flat())(
    "parameters of all tasks of the %s %s pass from machine to machine, and spoilt ones do not",
    async (sort, name) => {
      const tasks = (await planShipped(sort, name)).map((task) => JSON.parse(JSON.stringify(task)) as Task);
      expect(tasks.length).toBeGreaterThan(0);
      for (const task of tasks) {
        const kind = kindOf(task.kind);
        kind.assertParams(task.params);
        expect(createTask(kind, ports.engine, task).key).toBe(task.key);
      }
      const spoilt = fc.constantFrom(...tasks).chain(({ kind, params }) =>
        fc
          .oneof(withOtherType(params), withStrangeKey(params))
          .filter(({ value }) => !NULLABLE.test(JSON.stringify(value)))
          .map(({ value }) => ({ kind, value })),
      );
      fc.assert(
        fc.property(spoilt, ({ kind, value }) => {
          expect(() => kindOf(kind).assertParams(value)).toThrow(InputError);
        }),
        { numRuns: 300 },
      );
    },
  );
});

// Files in test/golden/tasks were written by version 0.1.0. What changes in them runs again in studies begun before.
describe("keys of tasks", () => {
  it.each(shipped.flat())("tasks of the %s %s have the keys they always had", async (sort, name) => {
    const kinds = { get: (kind: string) => STUDY_TASKS.get(kind) ?? SIMULATION_TASKS.get(kind) };
    const text = formatTasks(await planShipped(sort, name), { kinds, most: 2 });
    await expect(text).toMatchFileSnapshot(`golden/tasks/${name}.txt`);
  });
});
