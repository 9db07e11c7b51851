/** Work of one worker for a result. */
export interface WorkerRow {
  /** Name of the worker. */
  readonly worker: string;
  /** Number of tasks that the worker ran. */
  readonly tasks: number;
  /** Total seconds of its tasks. */
  readonly seconds: number;
}
