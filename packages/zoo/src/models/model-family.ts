import type { Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../network-builder.ts";
import type { ModelConfig } from "./model-config.ts";

/** What a family builds its network of. */
export interface FamilyContext {
  readonly network: NetworkBuilder;
  readonly config: ModelConfig;
  /** Tokens of an example. */
  readonly length: number;
  /**
   * Whether the checkpoint has a tensor: decides on prefixes, heads and biases, never on extents. Undefined if no checkpoint is
   * known: then the network is that of the family's usual class.
   */
  readonly has: ((name: string) => boolean) | undefined;
}

/** Values that a network computes, by the names they get. */
export type FamilyOutputs = Readonly<Record<string, Value>>;

/** A kind of `model_type`. */
export interface ModelFamily {
  /** Adds the network to the context's builder. */
  readonly build: (context: FamilyContext) => FamilyOutputs;
  /** Fields of a config of the same structure with a few small blocks. */
  readonly narrow: (config: ModelConfig) => Readonly<Record<string, unknown>>;
  /** Tensors that checkpoints of it hold and no network needs: masks and positions, and copies of tied weights. */
  readonly idle: RegExp;
}
