import type { SimulatedTask, WaitingTimes } from "./cluster.ts";
import type { EventQueue } from "./event-queue.ts";

/** The process that waits for all results. */
export interface WaitingProcess {
  /** Tasks whose result is not noted. */
  readonly unfinished: number;
  /** Seconds in which it was busy, planning included. */
  readonly busy: number;
  /** Plans all tasks, then queues the tasks that depend on nothing. */
  begin(): void;
  /** Says that the result of a task is published. */
  hear(task: number): void;
}

/** What a waiting process works with. */
export interface WaitingPorts {
  readonly events: EventQueue;
  readonly times: WaitingTimes;
  /** Puts a task into the queue. */
  release(task: number): void;
}

/**
 * Creates a waiting process. It does one thing at a time: it notes a result, queues the tasks that waited for
 * nothing else, and turns to the next result.
 */
export function createWaitingProcess(
  tasks: readonly SimulatedTask[],
  { events, times, release }: WaitingPorts,
): WaitingProcess {
  const missing = Int32Array.from(tasks, ({ after }) => after.length);
  const dependants = listDependants(tasks);
  const inbox: number[] = [];
  let [read, unfinished, busy, isBusy] = [0, tasks.length, 0, true];
  const work = (seconds: number, done: () => void): void => {
    busy += seconds;
    events.at(events.now + seconds, done);
  };
  const turnToNext = (): void => {
    const task = inbox[read];
    isBusy = task !== undefined;
    if (task === undefined) return;
    read++;
    const ready = (dependants[task] as number[]).filter((one) => --(missing[one] as number) === 0);
    const note = times.note + times.notePerUnfinished * unfinished;
    work(note + times.add * ready.length, () => {
      unfinished--;
      for (const one of ready) release(one);
      turnToNext();
    });
  };
  return {
    get unfinished() {
      return unfinished;
    },
    get busy() {
      return busy;
    },
    begin() {
      const ready = [...tasks.keys()].filter((task) => missing[task] === 0);
      const queueFrom = (index: number): void => {
        const task = ready[index];
        if (task === undefined) {
          turnToNext();
          return;
        }
        work(times.add, () => {
          release(task);
          queueFrom(index + 1);
        });
      };
      work(times.plan + times.planPerTask * tasks.length, () => queueFrom(0));
    },
    hear(task) {
      inbox.push(task);
      if (!isBusy) turnToNext();
    },
  };
}

/** Lists, for each task, which depend on it. */
function listDependants(tasks: readonly SimulatedTask[]): number[][] {
  const dependants: number[][] = tasks.map(() => []);
  for (const [index, { after }] of tasks.entries()) {
    for (const task of after) {
      const list = task < index ? dependants[task] : undefined;
      if (list === undefined) {
        throw new RangeError(
          `Cannot simulate task ${index} as it must depend on tasks before it: it depends on ${task}`,
        );
      }
      list.push(index);
    }
  }
  return dependants;
}
