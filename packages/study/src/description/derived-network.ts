import type { PruneChoice, QuantizedBits, QuantizeScheme } from "@isthmus/sparsity";
import type { LossSpec, OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import type { WantedValues } from "./wanted-values.ts";

/**
 * Networks without some of the weights of networks of another group, trained on without them if asked for;
 * options that are missing have the defaults of `pruneNetwork` and `train`.
 */
export interface PrunedStudyNetwork {
  /** Name of the group of networks to prune, which must come before; each that agrees is pruned. */
  readonly prune: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Share that is pruned, in `[0, 1)`. */
  readonly sparsity: number;
  readonly by?: PruneChoice;
  /** Patterns of weights, or of layers of units. @defaultValue all */
  readonly layers?: readonly string[];
  /**
   * Epochs of the training to whose weights what stays goes back before it is trained again, one of the
   * snapshots of the training; 0 is the start. @defaultValue it stays as it is
   */
  readonly rewind?: number;
  /** Name of the examples to train on with pruned weights at zero. @defaultValue none is trained */
  readonly data?: string;
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed?: number;
  /** Of the training; with `data` alone. @defaultValue 1 */
  readonly epochs?: number;
  readonly batch?: number;
  readonly loss?: LossSpec;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
}

/** Networks of another group with their weights on a grid; defaults are the ones of `quantizeNetwork`. */
export interface QuantizedStudyNetwork {
  /** Name of the group of networks to quantise, which must come before; each that agrees is. */
  readonly quantize: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  readonly bits?: QuantizedBits;
  readonly scheme?: QuantizeScheme;
}
