import { pad, reshape, reverse, type Value } from "@isthmus/graph/builder";
import { wrapAxis } from "@isthmus/graph/ir";
import {
  cotangent,
  type GradientContext,
  type GradientRule,
  operand,
  refuseVariant,
  settledNumbers,
} from "../gradient-rule.ts";

/** Elements at even steps along axes: the gradient at their places, zeros between and around. */
export const sliceRule: GradientRule = (context) => {
  const x = operand(context, 0);
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  let g = cotangent(context);
  for (const { axis, first, step } of rangesOf(context, x.shape)) {
    const count = g.shape[axis] ?? 0;
    if (count === 0) continue;
    // Read backwards, the last element comes first.
    const begin = step < 0 ? first + (count - 1) * step : first;
    g = spread(step < 0 ? reverse(g, axis) : g, axis, Math.abs(step));
    before[axis] = begin;
    after[axis] = (x.shape[axis] ?? 0) - begin - (g.shape[axis] ?? 0);
  }
  // An empty slice has no elements to pad.
  return g.shape.includes(0) ? [undefined] : [pad(g, before, after)];
};

interface Range {
  readonly axis: number;
  /** Place of the first element that is read. */
  readonly first: number;
  readonly step: number;
}

function rangesOf(context: GradientContext, shape: readonly number[]): Range[] {
  const { node } = context;
  if (node.attributes.has("starts"))
    refuseVariant(context, "must have its places as inputs", "of an operator set before 10");
  const begins = settledNumbers(context, 1) ?? [];
  const axes = settledNumbers(context, 3) ?? begins.map((_, i) => i);
  const steps = settledNumbers(context, 4) ?? begins.map(() => 1);
  return begins.map((begin, i) => {
    const axis = wrapAxis(axes[i] ?? i, shape.length);
    const extent = shape[axis] ?? 0;
    const step = steps[i] ?? 1;
    const first = Math.max(0, Math.min(begin < 0 ? begin + extent : begin, step < 0 ? extent - 1 : extent));
    return { axis, first, step };
  });
}

/** Elements `step` apart, zeros between them and behind the last. */
function spread(x: Value, axis: number, step: number): Value {
  if (step === 1) return x;
  const lined = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)];
  const none = lined.map(() => 0);
  const padded = pad(
    reshape(x, lined),
    none,
    none.map((zero, i) => (i === axis + 1 ? step - 1 : zero)),
  );
  return reshape(
    padded,
    x.shape.map((extent, i) => (i === axis ? extent * step : extent)),
  );
}
