import type { TextObjective } from "@isthmus/data";
import type { LossesOfOutputs } from "@isthmus/graph";
import type { Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../network-builder.ts";
import type { ModelConfig } from "./model-config.ts";

/** Builder, config and checkpoint from which a family builds its network. */
export interface FamilyContext {
  /** Builder to which the family adds its layers. */
  readonly network: NetworkBuilder;
  /** Config that states the extents of the network. */
  readonly config: ModelConfig;
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of pairs of an image and a text that are compared with each other in an example. */
  readonly pairs: number;
  /**
   * Checks whether the checkpoint has a tensor, which decides on prefixes, heads and biases, never on
   * extents. Undefined if there is no checkpoint: the network is then the one of the family's usual class.
   */
  readonly has: ((name: string) => boolean) | undefined;
  /** Tensors by which images enter the stream of the checkpoint's network; empty for models of texts. */
  readonly streamTensors: readonly StreamTensor[];
  /** Called if the embedding is also the head, with the name that a separate head would have. */
  readonly onTied: (tied: TiedHead) => void;
}

/** A tensor outside the network of texts that has the units of the stream along an axis. */
export interface StreamTensor {
  /** Name of the tensor. */
  readonly name: string;
  /** Shape of the tensor, of one or two axes. */
  readonly shape: readonly number[];
  /** Axis of the units of the stream. */
  readonly axis: 0 | 1;
}

/** An embedding that is also the head of its network. */
export interface TiedHead {
  /** Name of the embedding's weight. */
  readonly embedding: string;
  /** Name of the weight of a separate head. */
  readonly head: string;
}

/** Outputs of a network, by name. */
export type FamilyOutputs = Readonly<Record<string, Value>>;

/** Objective of a family on texts; the mask of masked tokens is known by the tokenizer alone. */
export type FamilyObjective =
  | Omit<TextObjective & { kind: "masked" }, "token">
  | Exclude<TextObjective, { kind: "masked" }>;

/** Builder and properties of networks with one or several values of `model_type`. */
export interface ModelFamily {
  /** Adds the network to the builder of the context, and returns its outputs. */
  readonly build: (context: FamilyContext) => FamilyOutputs;
  /** Returns fields that give a config the same structure with a few small blocks. */
  readonly narrow: (config: ModelConfig) => Readonly<Record<string, unknown>>;
  /**
   * Returns fields that give a network of the same weights smaller examples; undefined if the examples are as
   * small already. @defaultValue examples of other extents are not made
   */
  readonly shrink?: (config: ModelConfig) => Readonly<Record<string, unknown>> | undefined;
  /** Tokens of a text that the family's networks predict. @defaultValue each from those before it */
  readonly predicts?: (config: ModelConfig) => FamilyObjective;
  /**
   * Loss of the outputs for a number of pairs. @defaultValue the loss that follows from labels and outputs
   */
  readonly loss?: (pairs: number) => LossesOfOutputs;
  /**
   * Names of outputs that are no part of the function, as others are all that is made of them: the order of
   * their units is free. @defaultValue none
   */
  readonly uncounted?: readonly string[];
  /** Whether each token sees later tokens, so that padding would be treated as text. @defaultValue false */
  readonly seesAll?: boolean;
  /**
   * Returns the maximum number of tokens for which there are positions; undefined if there is no limit.
   * @defaultValue the number in the config
   */
  readonly maxLength?: (config: ModelConfig) => number | undefined;
  /** Place of the network of texts within a model that also sees images; absent for models of texts alone. */
  readonly withImages?: ImageModel;
  /**
   * Pattern of names of tensors that checkpoints contain and no network needs: masks, positions, and copies
   * of tied weights.
   */
  readonly idle: RegExp;
}

/** Description of a model that sees images, of which the network of texts is built alone. */
export interface ImageModel {
  /** Patterns of names of tensors by which images enter the stream, with the axis of its units. */
  readonly entries: readonly (readonly [name: RegExp, axis: 0 | 1])[];
}
