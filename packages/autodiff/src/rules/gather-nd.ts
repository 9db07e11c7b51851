import { concat, expand, reshape, scatterND, type Value } from "@isthmus/graph/builder";
import { intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { assertScatterAdds } from "../scatter-adds.ts";
import { zeros } from "../zeros.ts";

/** Slices by index: each receives the sum of the gradients of its copies. */
export const gatherNDRule: GradientRule = (context) => {
  assertScatterAdds(context);
  const x = operand(context, 0);
  const indices = withBatch(operand(context, 1), intAttribute(context.node, "batch_dims", 0));
  return [scatterND(zeros(x, x.shape), indices, cotangent(context), { reduction: "add" })];
};

/** Indices of leading axes that are shared, written out in front of the others. */
function withBatch(indices: Value, batchAxes: number): Value {
  const { builder } = indices;
  const places = indices.shape.slice(0, -1);
  const own = Array.from({ length: batchAxes }, (_, axis) => {
    const extent = places[axis] ?? 0;
    const line = places.map((_, i) => (i === axis ? extent : 1));
    const counter = builder.ints(Array.from({ length: extent }, (_, i) => i));
    return expand(reshape(counter, [...line, 1]), [...places, 1]);
  });
  return own.length === 0 ? indices : concat([...own, indices], -1);
}
