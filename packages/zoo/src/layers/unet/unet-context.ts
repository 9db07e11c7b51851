import type { Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../../network-builder.ts";

/** Settings and values that all blocks of a U-Net share. */
export interface UnetContext {
  /** Builder to which blocks add their layers. */
  readonly network: NetworkBuilder;
  /** Number of groups of each group norm. */
  readonly groups: number;
  /** Number that group norms add to the variance. */
  readonly epsilon: number;
  /** Function of the normalised channels in residual blocks. */
  readonly activation: (x: Value) => Value;
  /** Embedding of the time step after the activation, `[N, time]`, from which each residual block reads. */
  readonly time: Value;
  /** Embeddings of the text that cross-attention reads, `[N * tokens, width]`; absent without a text. */
  readonly text?: TextRows;
  /** Whether the layers around a transformer are linear, rather than convolutions of one pixel. */
  readonly areProjectionsLinear: boolean;
  /** Whether attentions have the names of old checkpoints: `query`, `key`, `value` and `proj_attn`. */
  readonly hasOldNames: boolean;
}

/** Embeddings of a text, one row for each token. */
export interface TextRows {
  /** Rows, `[N * length, width]`. */
  readonly rows: Value;
  /** Number of tokens of a text. */
  readonly length: number;
}
