import { add, mul, reciprocal, reduceMean, sqrt, sub, type Value } from "@isthmus/graph/builder";
import { float, int } from "@isthmus/graph/ir";
import type { Normalized } from "./normalized-gradient.ts";

/** Normalises over the axes from `axis` on, as a layer norm does before scale and bias. */
export function normalizeAgain(x: Value, axis: number, epsilon: number): Normalized {
  const axes = [...x.shape.keys()].slice(axis);
  // The operator computes its second result in f32 whatever the first is.
  const [normalized, inverse] = x.dtype === "f32" ? fused(x, axis, epsilon) : fromParts(x, axes, epsilon);
  return { normalized, inverse, axes, isCentered: true };
}

function fused(x: Value, axis: number, epsilon: number): readonly [Value, Value] {
  const { builder, dtype, shape } = x;
  const kept = shape.map((extent, i) => (i < axis ? extent : 1));
  const one = builder.numbers([1], dtype);
  const results = builder.emit(
    "LayerNormalization",
    [x, one],
    [{ dtype, shape }, undefined, { dtype, shape: kept }],
    { attributes: { axis: int(axis), epsilon: float(epsilon) } },
  );
  return results as [Value, Value];
}

function fromParts(x: Value, axes: readonly number[], epsilon: number): readonly [Value, Value] {
  const mean = (value: Value) => reduceMean(value, { axes, keepDims: true });
  const centered = sub(x, mean(x));
  const inverse = reciprocal(sqrt(add(mean(mul(centered, centered)), epsilon)));
  return [mul(centered, inverse), inverse];
}
