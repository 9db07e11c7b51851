import type { DenseModel, Trait, UnitPart } from "./dense-model.ts";

/** Numbers of a mixture that its config states. */
export interface MixtureExtents {
  /** Model of everything but the experts. */
  readonly base: DenseModel;
  /** Number of experts of the router. */
  readonly experts: number;
  /** Number of experts to which a token is sent. */
  readonly active: number;
  /** Number of shared experts in the recipe. */
  readonly shared: number;
  /** Number of hidden units of the shared expert in the result; 0 if there is none. */
  readonly sharedHidden: number;
  /** Number of first layers that have no experts but the feed-forward network of the base. */
  readonly dense: number;
}

/** A form in which programs store mixtures of experts: names of tensors and fields of the config. */
export interface MixtureLayout {
  /** Name of the layout in recipes, the same as in mergekit-moe. */
  readonly name: string;
  /** Its `model_type` in configs. */
  readonly modelType: string;
  /** Class of transformers that loads it. */
  readonly architecture: string;
  /** Traits of the base that the layout carries. */
  readonly carries: readonly Trait[];
  /** Trait that the base must have, as all models of the layout do. @defaultValue none */
  readonly requires?: Trait;
  /** Whether queries, keys and values have biases in any case; zeros are written if the base has none. */
  readonly hasInputBiases: boolean;
  /** Whether its first layers may be dense. */
  readonly hasDenseLayers: boolean;
  /**
   * Shared expert of a layer: `none` if the layout has none, `gated` if its results are multiplied by a
   * sigmoid, `plain` if they are added without a factor.
   */
  readonly shared: "none" | "gated" | "plain";
  /**
   * Treatment of a token that is sent to one expert alone, as the end of a sentence that begins with the name
   * of the layout. @defaultValue the expert's output counts whole
   */
  readonly alone?: string;
  /** Name of the part of a layer that holds router and experts. */
  readonly block: string;
  /** Name of the shared expert within the block. */
  readonly sharedBlock: string;
  /** Names of the matrices of an expert. */
  readonly parts: Readonly<Record<UnitPart, string>>;
  /** Returns the fields of the config that the layout adds to the fields of the base. */
  readonly fields: (extents: MixtureExtents) => Readonly<Record<string, unknown>>;
}

/** Names of the matrices of an expert in layouts that keep the names of dense models. */
export const DENSE_PARTS: MixtureLayout["parts"] = {
  gate_proj: "gate_proj",
  up_proj: "up_proj",
  down_proj: "down_proj",
};

/** Returns the name of the router of a layer. */
export function routerName({ block }: MixtureLayout, layer: number): string {
  return `model.layers.${layer}.${block}.gate.weight`;
}

/** Returns the name of the gate of the shared expert of a layer. */
export function sharedGateName({ block, sharedBlock }: MixtureLayout, layer: number): string {
  return `model.layers.${layer}.${block}.${sharedBlock}_gate.weight`;
}

/** Place of a matrix of an expert in a mixture. */
export interface ExpertPlace {
  /** Index of the layer. */
  readonly layer: number;
  /** Index of the expert, or the shared expert. */
  readonly expert: number | "shared";
  /** Matrix of the expert. */
  readonly part: UnitPart;
}

/** Returns the name of a matrix of an expert. */
export function expertName(
  { block, sharedBlock, parts }: MixtureLayout,
  { layer, expert, part }: ExpertPlace,
): string {
  const place = expert === "shared" ? sharedBlock : `experts.${expert}`;
  return `model.layers.${layer}.${block}.${place}.${parts[part]}.weight`;
}
