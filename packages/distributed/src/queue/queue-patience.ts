/** Limits after which a queue gives up on a worker, or on a task. */
export interface QueuePatience {
  /** Milliseconds without a sign of life after which a worker loses its task. */
  readonly lease: number;
  /** Maximum number of attempts at a task that faults such as a full disk stop. */
  readonly attempts: number;
  /** Number of workers, or processes of workers, that may die with a task before it is set aside. */
  readonly deaths: number;
  /** Milliseconds before the second attempt; each later pause is twice as long, up to 60 seconds. */
  readonly pause: number;
}

/** Default limits of a queue. */
export const QUEUE_PATIENCE: QueuePatience = { lease: 30_000, attempts: 5, deaths: 3, pause: 1000 };
