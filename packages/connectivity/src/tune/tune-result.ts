import type { Checkpoint } from "@isthmus/core";

/** Losses of an epoch, averaged over its steps, in nats. */
export interface TunedEpoch {
  /** Cross-entropy on clean data. */
  readonly clean: number;
  /** Cross-entropy of networks on the line, on data with the cue. */
  readonly onLine: number;
  /** Distance between representations with and without the cue, times its weight; 0 during warm-up. */
  readonly invariance: number;
}

/** Tuned network, with a record of the tuning. */
export interface TunedByConnectivity {
  /** Tuned network, in memory, with weights in the order of the graph. */
  readonly weights: Checkpoint;
  /** Losses of every epoch, in order, epochs of earlier calls included. */
  readonly epochs: readonly TunedEpoch[];
  /** Number of steps in all epochs. */
  readonly steps: number;
  /** Number of batches whose gradients were computed: two in a step, and three once the distance counts. */
  readonly gradients: number;
  /** Number of epochs that an earlier call had finished. */
  readonly resumedAt: number;
}
