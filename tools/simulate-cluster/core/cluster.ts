import type { Bandwidths } from "./shared-link.ts";

/** A task, as far as its time goes. */
export interface SimulatedTask {
  readonly kind: string;
  /** Seconds that one worker computes, on average. */
  readonly seconds: number;
  /** Bytes that it reads from the storage, and writes to it. */
  readonly reads: number;
  readonly writes: number;
  /** Places, in the list of tasks, of the tasks it depends on; all before its own. */
  readonly after: readonly number[];
}

/** What is to be computed. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly tasks: readonly SimulatedTask[];
}

/** The queue between the waiting process and the workers. */
export interface QueueTimes {
  /** Seconds of a message on its way to the queue and back, when nothing else is asked of it. */
  readonly latency: number;
  /** Seconds in which the queue serves one message, and nothing else. */
  readonly service: number;
  /** Seconds between two looks of an idle worker, where it is not called; 0 where it is. */
  readonly poll: number;
}

/** The process that plans the tasks, waits for their results, and notes each; all one by one. */
export interface WaitingTimes {
  /** Seconds for planning, before the first task is queued, and more for each task. */
  readonly plan: number;
  readonly planPerTask: number;
  /** Seconds for putting one task into the queue. */
  readonly add: number;
  /** Seconds for noting one result. */
  readonly note: number;
  /** Seconds more for each task that is not finished yet. */
  readonly notePerUnfinished: number;
}

/** How workers fail. */
export interface Failures {
  /** Mean seconds between two failures of one worker; infinite if none fails. */
  readonly meanTime: number;
  /** Seconds after which the task of a worker that is not heard of goes back to the queue. */
  readonly lease: number;
}

/** Machines that run tasks. */
export interface Cluster {
  readonly workers: number;
  /** Seconds until a new worker, or one that failed, takes its first task. */
  readonly start: number;
  readonly bandwidth: Bandwidths;
  readonly queue: QueueTimes;
  readonly waiting: WaitingTimes;
  readonly failures: Failures;
  /** Standard deviation of the logarithm of a task's time around its mean. */
  readonly spread: number;
  readonly seed: number;
  /** Price of a worker for an hour. */
  readonly price: number;
  /**
   * Into how many parts each task falls that different workers can do at once, for asking what would be if
   * work could be divided; a part costs the queue as much less. @defaultValue one each
   */
  readonly parts?: readonly number[];
}
