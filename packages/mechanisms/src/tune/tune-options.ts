/** Progress of `tuneByConnectivity`. */
export interface TuneProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Epochs done so far. */
  readonly epochs: number;
}

/** What decides the weights that `tuneByConnectivity` returns. */
export interface ConnectivityRules {
  /** Decides the order of examples, and the places on the line. */
  readonly seed: number;
  /** Passes over the smaller one of both data sets. @defaultValue 20 */
  readonly epochs?: number;
  /** Examples of each data set in a step. @defaultValue 64 */
  readonly batch?: number;
  /**
   * Of SGD with momentum 0.9. It stays until the distance has counted for an epoch, then it falls by a cosine
   * of all steps. @defaultValue 0.01
   */
  readonly learningRate?: number;
  /** Added to gradients, times the weights. @defaultValue 0.0001 */
  readonly weightDecay?: number;
  /** Loss that networks on the line are to have on data with the cue, in nats. @defaultValue 1 */
  readonly margin?: number;
  /** Weight of the distance between representations of examples with and without the cue. @defaultValue 1 */
  readonly invariance?: number;
  /** Epochs before that distance counts. @defaultValue 1 */
  readonly warmup?: number;
}

/** Options of `tuneByConnectivity`. */
export interface TuneByConnectivityOptions extends ConnectivityRules {
  /**
   * File that the state is written to after each epoch, and that a later call goes on from; it stays for the
   * caller to remove. @defaultValue none
   */
  readonly statePath?: string | undefined;
  /** Whether to go on from a state that is there, to the same bytes. @defaultValue false */
  readonly resume?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TuneProgress) => void) | undefined;
}

/** Defaults of {@link TuneByConnectivityOptions}, without the seed, which must be named. */
export const TUNE_BY_CONNECTIVITY_DEFAULTS: Required<Omit<TuneByConnectivityOptions, "seed">> = {
  epochs: 20,
  batch: 64,
  learningRate: 0.01,
  weightDecay: 1e-4,
  margin: 1,
  invariance: 1,
  warmup: 1,
  statePath: undefined,
  resume: false,
  signal: undefined,
  onProgress: undefined,
};
