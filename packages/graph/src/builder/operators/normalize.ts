import { float, int, wrapAxis } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";

/** Computes exponentials divided by their sum along an axis. */
export function softmax(x: Value, axis = -1): Value {
  return alongAxis("Softmax", x, axis);
}

/** Computes the logarithm of the softmax along an axis. */
export function logSoftmax(x: Value, axis = -1): Value {
  return alongAxis("LogSoftmax", x, axis);
}

function alongAxis(op: string, x: Value, axis: number): Value {
  const attributes = { axis: int(wrapAxis(axis, x.shape.length)) };
  return x.builder.emit(op, [x], [{ dtype: x.dtype, shape: x.shape }], { attributes })[0] as Value;
}

/** Scale and bias of a norm, both of the shape of the axes that are normalised over. */
export interface Affine {
  /** Factors, of the shape of the normalised axes. */
  readonly scale: Value;
  /** Offsets after the scale; absent to add none. */
  readonly bias?: Value;
}

/** Normalises `x` over the axes from `axis` on (layer norm). */
export function layerNorm(
  x: Value,
  { scale, bias }: Affine,
  { axis = -1, epsilon = 1e-5 }: { readonly axis?: number; readonly epsilon?: number } = {},
): Value {
  const inputs = bias === undefined ? [x, scale] : [x, scale, bias];
  return x.builder.emit("LayerNormalization", inputs, [{ dtype: x.dtype, shape: x.shape }], {
    attributes: { axis: int(wrapAxis(axis, x.shape.length)), epsilon: float(epsilon) },
  })[0] as Value;
}

/** Scale, bias and statistics of a batch norm, all `[channels]`. */
export interface BatchNormWeights {
  /** Factors of the normalised channels, `[channels]`. */
  readonly scale: Value;
  /** Offsets after the scale, `[channels]`. */
  readonly bias: Value;
  /** Means that are subtracted, `[channels]`. */
  readonly mean: Value;
  /** Variances by whose roots channels are divided, `[channels]`. */
  readonly variance: Value;
}

/** Normalises `x [batch, channels, ...]` by the statistics of each channel (batch norm in inference). */
export function batchNorm(
  x: Value,
  { scale, bias, mean, variance }: BatchNormWeights,
  epsilon = 1e-5,
): Value {
  return x.builder.emit(
    "BatchNormalization",
    [x, scale, bias, mean, variance],
    [{ dtype: x.dtype, shape: x.shape }],
    {
      attributes: { epsilon: float(epsilon) },
    },
  )[0] as Value;
}

/**
 * Normalises `x [batch, channels, ...]` by the statistics of each of `groups` equal parts of the channels
 * (group norm); from operator set 21 on.
 */
export function groupNorm(
  x: Value,
  groups: number,
  { scale, bias, epsilon = 1e-5 }: { readonly scale: Value; readonly bias: Value; readonly epsilon?: number },
): Value {
  return x.builder.emit("GroupNormalization", [x, scale, bias], [{ dtype: x.dtype, shape: x.shape }], {
    attributes: { num_groups: int(groups), epsilon: float(epsilon) },
  })[0] as Value;
}
