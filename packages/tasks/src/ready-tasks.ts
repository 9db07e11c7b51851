import { at, entry } from "@isthmus/core";
import { dependenciesOf, type Task } from "./task.ts";

/** Hands out tasks in order, each once all its dependencies are done. */
export interface ReadyTasks {
  /** Number of tasks that are not yet handed out, by kind. */
  readonly waiting: ReadonlyMap<string, number>;
  /** Hands out the first task that may begin; undefined if none may begin now. */
  take(): Task | undefined;
  /** Marks a task as done, so that others may begin. */
  finish(task: Task): void;
  /** Marks a task as failed; returns the tasks that can therefore never begin, and forgets them. */
  fail(task: Task): readonly Task[];
}

/**
 * Makes a {@link ReadyTasks}; the time of its calls does not grow with the number of tasks.
 * @param tasks - a dependency that is not among them counts as done
 */
export function createReadyTasks(tasks: readonly Task[]): ReadyTasks {
  const places = new Map(tasks.map(({ key }, place) => [key, place]));
  const unmet = new Map<string, number>();
  const dependents = new Map<string, Task[]>(tasks.map(({ key }) => [key, []]));
  const waiting = new Map<string, number>();
  const ready: Task[] = [];
  const count = (kind: string, change: number): void => {
    waiting.set(kind, (waiting.get(kind) ?? 0) + change);
  };
  for (const task of tasks) {
    const needed = new Set(dependenciesOf(task).filter((key) => places.has(key)));
    for (const key of needed) entry(dependents, key, "task").push(task);
    unmet.set(task.key, needed.size);
    count(task.kind, 1);
    if (needed.size === 0) ready.push(task);
  }
  const blocked = new Set<Task>();
  // Tasks are listed from last to first, so that the next one is at the end.
  ready.reverse();
  const insert = (task: Task): void => {
    const placeOf = ({ key }: Task): number => entry(places, key, "task");
    let [low, high] = [0, ready.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (placeOf(at(ready, middle, "task")) > placeOf(task)) low = middle + 1;
      else high = middle;
    }
    ready.splice(low, 0, task);
  };
  return {
    waiting,
    take() {
      const task = ready.pop();
      if (task !== undefined) count(task.kind, -1);
      return task;
    },
    finish({ key }) {
      for (const dependent of entry(dependents, key, "task")) {
        const left = entry(unmet, dependent.key, "task") - 1;
        unmet.set(dependent.key, left);
        if (left === 0) insert(dependent);
      }
    },
    fail(failed) {
      const before = blocked.size;
      const lost = [failed];
      for (let task = lost.pop(); task !== undefined; task = lost.pop()) {
        for (const dependent of entry(dependents, task.key, "task")) {
          if (blocked.has(dependent)) continue;
          blocked.add(dependent);
          count(dependent.kind, -1);
          // The dependent task never becomes ready, as a task on which it depends is never done.
          lost.push(dependent);
        }
      }
      // Tasks that an earlier failure has already blocked are not named again.
      return [...blocked].slice(before);
    },
  };
}
