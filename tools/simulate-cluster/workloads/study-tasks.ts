import { dependenciesOf, type Task, type TaskFile } from "@isthmus/tasks";
import type { SimulatedTask } from "../core/cluster.ts";
import { costOf, type Measured, mustFind } from "../measured.ts";
import { netOf, wordOf, workOf } from "../measuring/task-work.ts";

/**
 * Turns the tasks of a planned study into simulated ones: their times by the measured ones of their kind and
 * architecture, scaled by the work they do, and their files by the measured sizes.
 */
export function simulateStudy(tasks: readonly Task[], measured: Measured): SimulatedTask[] {
  const places = new Map(tasks.map(({ key }, index) => [key, index]));
  const taskOf = (key: string): Task => {
    const task = tasks[places.get(key) ?? -1];
    if (task !== undefined) return task;
    throw new RangeError(`Cannot simulate a study as its plan must have all tasks: task ${key} is missing`);
  };
  const sizeOf = (file: TaskFile): number => {
    // Files of users are not part of the studies that are simulated.
    if ("path" in file) return 0;
    const maker = taskOf(file.task);
    return mustFind(costOf(measured, maker.kind, netOf(maker)).files, wordOf(file.file), "size of file");
  };
  return tasks.map((task): SimulatedTask => {
    const { perRound, perUnit, files } = costOf(measured, task.kind, netOf(task));
    const { rounds, units } = workOf(task);
    const inputs = Object.values(task.inputs).flat();
    return {
      kind: task.kind,
      seconds: rounds * (perRound + perUnit * units),
      reads: inputs.reduce((sum, file) => sum + sizeOf(file), 0),
      writes: Object.values(files).reduce((sum, size) => sum + size, 0),
      after: [...new Set(dependenciesOf(task))].map((key) => {
        const place = places.get(key);
        if (place !== undefined) return place;
        throw new RangeError(
          `Cannot simulate ${task.label} as it must depend on planned tasks: ${key} is missing`,
        );
      }),
    };
  });
}
