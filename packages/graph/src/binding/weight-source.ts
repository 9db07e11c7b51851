/** One way of rearranging the elements of a tensor without changing their values. */
export type Rearrangement =
  /** Elements `[begin, end)` along one axis. */
  | {
      /** Tag of a cut along one axis. */
      readonly kind: "slice";
      /** Axis that is cut, from 0. */
      readonly axis: number;
      /** Index of the first element along the axis. */
      readonly begin: number;
      /** End of the elements along the axis, exclusive. */
      readonly end: number;
    }
  /** Axes in another order: axis `i` of the result is axis `permutation[i]`. */
  | {
      /** Tag of an exchange of axes. */
      readonly kind: "transpose";
      /** Axis of the tensor for each axis of the result. */
      readonly permutation: readonly number[];
    }
  /** Elements in row-major order under another shape. */
  | {
      /** Tag of a change of the shape alone. */
      readonly kind: "reshape";
      /** Shape of the result, with the same number of elements. */
      readonly shape: readonly number[];
    }
  /** Axes of extent 1 repeated until the tensor has this shape. */
  | {
      /** Tag of a repetition along axes. */
      readonly kind: "expand";
      /** Shape of the result, with as many axes as the tensor. */
      readonly shape: readonly number[];
    }
  /** Rows at these indices along the first axis. */
  | {
      /** Tag of a choice of rows. */
      readonly kind: "gather";
      /** Index in the tensor of each row of the result. */
      readonly indices: readonly number[];
    };

/** A tensor of a checkpoint, rearranged step by step. */
export interface TensorSource {
  /** Tag of a source that is one tensor. */
  readonly kind: "tensor";
  /** Name in the checkpoint. */
  readonly tensor: string;
  /** Steps that are applied in order; empty if the weight is the unchanged tensor. */
  readonly steps: readonly Rearrangement[];
}

/** Consecutively joined tensors of a checkpoint, such as the gates of a recurrent layer. */
export interface ConcatenatedSource {
  /** Tag of a source that is several tensors, joined. */
  readonly kind: "concatenated";
  /**
   * Parts with equal rows, joined along their first axis; each part may itself be joined from others, such as
   * the gates of each direction.
   */
  readonly parts: readonly (TensorSource | ConcatenatedSource)[];
  /** Shape of the result, to which the joined rows are reshaped. */
  readonly shape: readonly number[];
}

/** A batch norm that an exporter folded into the layer before it, by names of the checkpoint. */
export interface FoldedNorm {
  /** Name of the scale; absent for a norm without weights, which scales by 1. */
  readonly scale?: string;
  /** Name of the offset; absent for a norm without weights, which adds 0. */
  readonly offset?: string;
  /** Name of the running mean, `[outputs]`. */
  readonly mean: string;
  /** Name of the running variance, `[outputs]`. */
  readonly variance: string;
  /** Number that is added to the variance. */
  readonly epsilon: number;
}

/** The kernel of a layer, multiplied for each output by the factor of the batch norm after it. */
export interface FoldedKernelSource {
  /** Tag of a kernel that a norm was folded into. */
  readonly kind: "folded-kernel";
  /** Kernel before the norm was folded into it. */
  readonly kernel: TensorSource;
  /** Norm whose factors, `scale / sqrt(variance + epsilon)`, multiply the kernel. */
  readonly norm: FoldedNorm;
}

/** The bias of a layer and the batch norm after it, one number for each output. */
export interface FoldedBiasSource {
  /** Tag of a bias that a norm was folded into. */
  readonly kind: "folded-bias";
  /** Name of the bias of the layer itself; absent if it has none. */
  readonly bias?: string;
  /** Norm through which the bias was passed. */
  readonly norm: FoldedNorm;
}

/**
 * A kernel that a layer stores as lengths and directions (weight normalization): `length * direction /
 * |direction|` for each output.
 */
export interface WeightNormSource {
  /** Tag of a kernel with weight normalization. */
  readonly kind: "weight-norm";
  /** Name of the lengths, `[outputs]`, or with axes of extent 1. */
  readonly length: string;
  /** Name of the directions, `[outputs, ...]`. */
  readonly direction: string;
}

/**
 * A kernel divided by an estimate of its largest singular value (spectral normalization):
 * `kernel / (left kernel right)`.
 */
export interface SpectralNormSource {
  /** Tag of a kernel with spectral normalization. */
  readonly kind: "spectral-norm";
  /** Name of the kernel, `[outputs, ...]`. */
  readonly kernel: string;
  /** Name of the left vector, `[outputs]`. */
  readonly left: string;
  /** Name of the right vector, with as many numbers as the kernel has for one output. */
  readonly right: string;
}

/** Source of the values of one weight of a graph in the tensors of a checkpoint. */
export type WeightSource =
  | TensorSource
  | ConcatenatedSource
  | FoldedKernelSource
  | FoldedBiasSource
  | WeightNormSource
  | SpectralNormSource;

/** Lists the tensors that a source reads, each once. */
export function tensorsOf(source: WeightSource): string[] {
  if (source.kind === "tensor") return [source.tensor];
  if (source.kind === "concatenated") return [...new Set(source.parts.flatMap(tensorsOf))];
  if (source.kind === "weight-norm") return [source.length, source.direction];
  if (source.kind === "spectral-norm") return [source.kernel, source.left, source.right];
  const { scale, offset, mean, variance } = source.norm;
  const layer = source.kind === "folded-kernel" ? source.kernel.tensor : source.bias;
  return [layer, scale, offset, mean, variance].filter((name) => name !== undefined);
}

/** Checks whether a weight is the unchanged tensor of its name. */
export function isUnchanged(weight: string, source: WeightSource): boolean {
  return source.kind === "tensor" && source.tensor === weight && source.steps.length === 0;
}

/** Checks whether a weight is the tensor of its name in another order. */
export function isRearranged(weight: string, source: WeightSource): boolean {
  return !isUnchanged(weight, source) && tensorsOf(source).every((tensor) => tensor === weight);
}

/** Describes the source of a weight in a checkpoint in a few words, for messages. */
export function describeSource(source: WeightSource): string {
  if (source.kind === "tensor") return describeTensor(source);
  if (source.kind === "concatenated") return `rows of ${tensorsOf(source).join(", ")}`;
  if (source.kind === "weight-norm") return `${source.direction} of the lengths ${source.length}`;
  if (source.kind === "spectral-norm") return `${source.kernel} over its largest singular value`;
  const norm = source.norm.scale ?? source.norm.variance;
  if (source.kind === "folded-kernel") return `${describeTensor(source.kernel)} with the norm of ${norm}`;
  return `the offset of the norm of ${norm}`;
}

function describeTensor({ tensor, steps }: TensorSource): string {
  const kinds = new Set(steps.map(({ kind }) => kind));
  if (kinds.has("gather")) return `rows of ${tensor}`;
  if (kinds.has("slice")) return `a part of ${tensor}`;
  if (kinds.has("expand")) return `${tensor}, repeated`;
  return kinds.has("transpose") ? `the transpose of ${tensor}` : tensor;
}
