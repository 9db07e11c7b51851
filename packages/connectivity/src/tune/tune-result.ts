import type { Checkpoint } from "@isthmus/core";

/** Losses of an epoch, mean over its steps, in nats. */
export interface TunedEpoch {
  /** Cross-entropy on clean data. */
  readonly clean: number;
  /** Cross-entropy on data with the cue, of networks on the line. */
  readonly onLine: number;
  /** Distance between representations with and without the cue, times its weight; 0 before it counts. */
  readonly invariance: number;
}

/** A network that was tuned. */
export interface TunedByConnectivity {
  /** In memory, in the order of the graph. */
  readonly weights: Checkpoint;
  readonly epochs: readonly TunedEpoch[];
  /** Steps in all epochs. */
  readonly steps: number;
  /** Batches whose gradients were computed: two in a step, three once the distance counts. */
  readonly gradients: number;
  /** Epochs that an earlier call had made. */
  readonly resumedAt: number;
}
