import type { ConnectivityRules } from "@isthmus/mechanisms";
import type { AugmentOptions, LossSpec, OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import type { WantedValues } from "./wanted-values.ts";

/**
 * Networks that are trained on from networks of another group; options that are missing have the defaults of
 * `train`.
 */
export interface TunedNetwork {
  /**
   * Name of the group of networks to start from, which must come before it: each network of the group that
   * agrees with this entry in all variables that both have is trained on.
   */
  readonly tune: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of the order of examples, augmentation and dropout. */
  readonly seed: number;
  readonly epochs: number;
  /** Whether all parameters are trained, or the ones of the last linear layer. @defaultValue "all" */
  readonly method?: "all" | "last-layer";
  /** Patterns of parameters that stay as they are. @defaultValue none */
  readonly freeze?: readonly string[];
  readonly batch?: number;
  readonly loss?: LossSpec;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
  readonly augment?: AugmentOptions;
}

/**
 * Networks that are trained on from networks of another group by connectivity-based fine-tuning, so that they
 * use a cue no longer; options that are missing have the defaults of `tuneByConnectivity`.
 */
export interface ConnectivityTunedNetwork
  extends Pick<TunedNetwork, "tune" | "where" | "data">,
    ConnectivityRules {
  readonly method: "cbft";
  /** Name of examples with the cue; `data` names examples without. */
  readonly cue: string;
}
