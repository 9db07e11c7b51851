/** Tasks that wait for a worker, and workers that wait for a task. */
export interface ReadyQueue {
  /** Adds a task, once for each of its parts. */
  add(task: number, parts: number): void;
  /** Offers a worker that has nothing to do. */
  offer(worker: number): void;
  /** Takes back the offer of a worker, which failed. */
  withdraw(worker: number): void;
}

/**
 * Creates a queue that hands tasks out in the order in which they came.
 *
 * @param hand - hands a task to a worker; `others` is the number of workers that wait beside it, undefined if
 *   the task waited for a worker and not the worker for a task
 */
export function createReadyQueue(
  hand: (worker: number, task: number, others: number | undefined) => void,
): ReadyQueue {
  const tasks: number[] = [];
  const idle = new Set<number>();
  let first = 0;
  return {
    add(task, parts) {
      for (let part = 0; part < parts; part++) {
        const [worker] = idle;
        if (worker === undefined) {
          tasks.push(task);
        } else {
          idle.delete(worker);
          hand(worker, task, idle.size);
        }
      }
    },
    offer(worker) {
      const task = tasks[first];
      if (task === undefined) {
        idle.add(worker);
        return;
      }
      first++;
      hand(worker, task, undefined);
    },
    withdraw(worker) {
      idle.delete(worker);
    },
  };
}
