/** A batch norm that an exporter folded into the convolution before it; names are the checkpoint's. */
export interface FoldedNorm {
  readonly scale: string;
  readonly variance: string;
  readonly offset: string;
  readonly mean: string;
  /** What was added to the variance. */
  readonly epsilon: number;
}

/** Where the values of a graph's weight are in a checkpoint. */
export type WeightSource =
  /** A tensor as it is, or the same elements in another shape. */
  | { readonly kind: "tensor"; readonly tensor: string }
  /** The transpose of a matrix. */
  | { readonly kind: "transposed"; readonly tensor: string }
  /** The kernel of a convolution times what a norm behind it multiplies by, `[O, ...]`. */
  | { readonly kind: "folded-kernel"; readonly tensor: string; readonly norm: FoldedNorm }
  /**
   * The bias of a convolution with a norm behind it, `[O]`. The convolution's own bias is `tensor`; undefined where it has none.
   */
  | { readonly kind: "folded-bias"; readonly tensor: string | undefined; readonly norm: FoldedNorm };

/** A weight of the graph that no tensor of the checkpoint was found for. */
export interface UnboundWeight {
  readonly weight: string;
  readonly reason: string;
}

/** How the weights of a graph are made of the tensors of a checkpoint. */
export interface WeightBinding {
  /** By the graph's names. */
  readonly sources: ReadonlyMap<string, WeightSource>;
  /** Weights whose source has another name, in the graph's order. */
  readonly renamed: readonly string[];
  readonly unbound: readonly UnboundWeight[];
  /** Tensors of the checkpoint that no weight is made of. */
  readonly unused: readonly string[];
}

/** The tensors that a source reads. */
export function tensorsOf(source: WeightSource): string[] {
  if (source.kind === "tensor" || source.kind === "transposed") return [source.tensor];
  const { scale, variance, offset, mean } = source.norm;
  const own = source.tensor === undefined ? [] : [source.tensor];
  return source.kind === "folded-kernel"
    ? [...own, scale, variance]
    : [...own, scale, variance, offset, mean];
}
