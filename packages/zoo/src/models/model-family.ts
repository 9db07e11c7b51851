import type { Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../network-builder.ts";
import type { ModelConfig } from "./model-config.ts";

/** Builder, config and checkpoint that a family builds its network from. */
export interface FamilyContext {
  readonly network: NetworkBuilder;
  readonly config: ModelConfig;
  /** Tokens of an example. */
  readonly length: number;
  /**
   * Checks whether the checkpoint has a tensor, which decides on prefixes, heads and biases, never on
   * extents. Undefined if there is no checkpoint: then the network is the one of the family's usual class.
   */
  readonly has: ((name: string) => boolean) | undefined;
  /** Is called where the embedding is also the head, with the name that a separate head would have. */
  readonly onTied: (tied: TiedHead) => void;
}

/** An embedding that is also the head of its network. */
export interface TiedHead {
  /** Name of the embedding's weight. */
  readonly embedding: string;
  /** Name of the weight that the head has where it is separate. */
  readonly head: string;
}

/** Outputs of a network, by name. */
export type FamilyOutputs = Readonly<Record<string, Value>>;

/** How networks of one or several values of `model_type` are built. */
export interface ModelFamily {
  /** Adds the network to the builder of the context, and returns its outputs. */
  readonly build: (context: FamilyContext) => FamilyOutputs;
  /** Returns fields that make a config one of the same structure with a few small blocks. */
  readonly narrow: (config: ModelConfig) => Readonly<Record<string, unknown>>;
  /** Whether each token sees later tokens, so that padding would be taken for text. @defaultValue false */
  readonly seesAll?: boolean;
  /**
   * Returns the largest number of tokens that there are positions for; undefined if there is no limit.
   * @defaultValue what the config says
   */
  readonly maxLength?: (config: ModelConfig) => number | undefined;
  /**
   * Names of tensors that its checkpoints hold and no network
   * needs: masks, positions, and copies of tied weights.
   */
  readonly idle: RegExp;
}
