/** Progress over the examples of a data set. */
export interface ExamplesProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Examples seen so far, of `total`. */
  readonly completed: number;
  /** Number of examples to see. */
  readonly total: number;
}

/** Options of `activationStatistics`. */
export interface ActivationStatisticsOptions {
  /** Examples in one engine call; does not change the result beyond rounding. @defaultValue 100 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Signal that stops the measurement, checked before each batch. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of examples measured so far, and the number of all. */
  readonly onProgress?: ((progress: ExamplesProgress) => void) | undefined;
}

/** Defaults of `activationStatistics`. */
export const ACTIVATION_STATISTICS_DEFAULTS: Required<ActivationStatisticsOptions> = {
  batchSize: 100,
  threads: 0,
  signal: undefined,
  onProgress: undefined,
};
