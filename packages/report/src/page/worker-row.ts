/** What one worker has done for a result. */
export interface WorkerRow {
  /** Its name. */
  readonly worker: string;
  /** Number of tasks. */
  readonly tasks: number;
  /** Seconds of all of them. */
  readonly seconds: number;
}
