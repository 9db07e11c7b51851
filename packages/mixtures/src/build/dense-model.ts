import type { Checkpoint } from "@isthmus/core";

/** A property of a dense model beyond the first Llama, which a layout of mixtures may carry or not. */
export type Trait =
  | "inputBiases"
  | "attentionBiases"
  | "headNorms"
  | "unitBiases"
  | "windows"
  | "someWindows"
  | "wideHeads";

/** A dense language model of Llama's form, of which a mixture is made. */
export interface DenseModel {
  /** Name of the model in the recipe. */
  readonly name: string;
  /** Folder with its config and tokenizer. */
  readonly directory: string;
  /** Its weights. */
  readonly checkpoint: Checkpoint;
  /** Values of its `config.json`, with the defaults of its family. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Its `model_type`. */
  readonly type: string;
  /** Number of its layers. */
  readonly layers: number;
  /** Number of units of the residual stream. */
  readonly width: number;
  /** Number of hidden units of the feed-forward network of a layer. */
  readonly hidden: number;
  /** Number of rows of the embedding. */
  readonly vocabulary: number;
  /** Number of heads of queries. */
  readonly heads: number;
  /** Number of heads of keys and values. */
  readonly groups: number;
  /** Number of dimensions of a head. */
  readonly inner: number;
  /** Function of the gates of its feed-forward networks, as configs name it. */
  readonly activation: string;
  /** Properties that the first Llama lacks, which a layout of mixtures must carry. */
  readonly traits: ReadonlySet<Trait>;
}

/** Name of the embedding. */
export const EMBEDDING = "model.embed_tokens.weight";

/** Matrices of the feed-forward network of a layer, by their names in dense models. */
export const UNIT_PARTS = ["gate_proj", "up_proj", "down_proj"] as const;

/** One of {@link UNIT_PARTS}. */
export type UnitPart = (typeof UNIT_PARTS)[number];

/** Returns the name of a matrix of the feed-forward network of a layer. */
export function unitName(layer: number, part: UnitPart): string {
  return `model.layers.${layer}.mlp.${part}.weight`;
}
