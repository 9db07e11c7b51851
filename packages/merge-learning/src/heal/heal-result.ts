import type { Checkpoint } from "@isthmus/core";

/** Standing of a network on the examples of an expert. */
export interface Standing {
  /**
   * Loss against the expert's outputs: the Kullback-Leibler divergence in nats for classes and tokens, the
   * mean squared or absolute difference for numbers.
   */
  readonly divergence: number;
  /** Share of predictions that are the expert's, in `[0, 1]`; missing for outputs that are numbers. */
  readonly agreement?: number;
  /** Loss against the labels, or of the next token; missing for examples without labels. */
  readonly loss?: number;
}

/** Standings of a network before and after a healing, on the examples of one expert. */
export interface HealedExpert {
  /** Path of the expert. */
  readonly expert: string;
  /** Name of the examples that it taught on. */
  readonly data: string;
  /** Name of the examples that the standings were measured on. */
  readonly measuredOn: string;
  /** Loss of the expert itself against the labels; missing for examples without labels. */
  readonly expertLoss?: number;
  /** Standing of the network before the healing. */
  readonly before: Standing;
  /** Standing of the healed network. */
  readonly after: Standing;
}

/** Result of a healing, as plain data. */
export interface HealResult {
  /** Path of the network that was healed. */
  readonly network: string;
  /** Number of steps of the whole healing. */
  readonly steps: number;
  /** Number of steps that an earlier, interrupted call had made. */
  readonly resumedAt: number;
  /** Mean loss of all batches, each measured before its step; NaN without steps. */
  readonly loss: number;
  /** Number of parameters in all, and of the ones that learned. */
  readonly parameters: { readonly all: number; readonly learned: number };
  /** Whether the statistics of batch norms were measured anew. */
  readonly recalibrated: boolean;
  /** Seconds of the steps that this call made. */
  readonly seconds: number;
  /** Standings by expert, in the order of the experts. */
  readonly experts: readonly HealedExpert[];
}

/** A healed network. */
export interface Healed {
  /** Its weights, under the names of the network that was healed, with the tensors that no graph reads. */
  readonly weights: Checkpoint;
  /** Record of the healing. */
  readonly result: HealResult;
}
