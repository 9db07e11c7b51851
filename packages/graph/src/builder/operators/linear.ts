import { formatShape, MismatchError } from "@isthmus/core";
import { float, int } from "../../ir/attributes.ts";
import { broadcastShapes } from "../broadcast-shapes.ts";
import type { Value } from "../graph-builder.ts";

/**
 * Multiplies matrices in the last two axes, `[..., m, k] [..., k, n]`; leading axes are broadcast. @throws
 * MismatchError if `k` differs
 */
export function matMul(x: Value, y: Value): Value {
  const [m, k, l, n] = [x.shape.at(-2), x.shape.at(-1), y.shape.at(-2), y.shape.at(-1)];
  if (k !== l || m === undefined || n === undefined) throw misfit("MatMul", x, y);
  const shape = [...broadcastShapes(x.shape.slice(0, -2), y.shape.slice(0, -2)), m, n];
  return x.builder.emit("MatMul", [x, y], [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Options of {@link gemm}. */
export interface GemmOptions {
  /** Whether `a` is `[k, m]` instead of `[m, k]`. @defaultValue false */
  readonly transA?: boolean;
  /** Whether `b` is `[n, k]` instead of `[k, n]`. @defaultValue false */
  readonly transB?: boolean;
  /** Factor of the product. @defaultValue 1 */
  readonly alpha?: number;
  /** Summand of the product, `[m, n]` or broadcast to it. @defaultValue none */
  readonly bias?: Value;
}

/** Computes the matrix product `alpha a b + bias`, `[m, k] [k, n]`. @throws MismatchError if `k` differs */
export function gemm(
  a: Value,
  b: Value,
  { transA = false, transB = false, alpha = 1, bias }: GemmOptions = {},
): Value {
  const [m, k] = transA ? [a.shape[1], a.shape[0]] : a.shape;
  const [l, n] = transB ? [b.shape[1], b.shape[0]] : b.shape;
  if (k !== l || m === undefined || n === undefined) throw misfit("Gemm", a, b);
  return a.builder.emit(
    "Gemm",
    bias === undefined ? [a, b] : [a, b, bias],
    [{ dtype: a.dtype, shape: [m, n] }],
    {
      attributes: { transA: int(transA ? 1 : 0), transB: int(transB ? 1 : 0), alpha: float(alpha) },
    },
  )[0] as Value;
}

/** Makes the error of two operands whose extents do not fit. */
export function misfit(op: string, x: Value, y: Value): MismatchError {
  return new MismatchError(
    `Cannot apply ${op} to "${x.name}" and "${y.name}" as their extents must fit: they are ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    { parameters: [x.name, y.name] },
  );
}
