import { at, sameShape } from "@isthmus/core";
import type { Value } from "../../builder/graph-builder.ts";
import { div, max, min, mul, sub, sum } from "../../builder/operators/elementwise.ts";
import { concat } from "../../builder/operators/layout.ts";
import { wrapAxis } from "../../ir/attributes.ts";
import { Flow } from "../flow.ts";
import type { BuildLayer, LayerContext } from "../layer-context.ts";

/** Returns all operands in one form: channels first if all have that form. */
function aligned({ inputs, config }: LayerContext): {
  readonly values: readonly Value[];
  readonly isFirst: boolean;
} {
  if (inputs.length === 0) throw config.malformed("inbound_nodes", "at least one layer", 0);
  const isFirst = inputs.every((input) => input.isFirst);
  return { values: inputs.map((input) => (isFirst ? input.first() : input.last())), isFirst };
}

const combining =
  (apply: (values: readonly Value[]) => Value): BuildLayer =>
  (context) => {
    const { values, isFirst } = aligned(context);
    const { shape: common } = at(values, 0, "operand");
    const differs = values.find(({ shape }) => !sameShape(shape, common));
    if (differs !== undefined) throw context.config.malformed("inputs", "of one shape", differs.shape);
    const result = apply(values);
    return isFirst ? Flow.first(result) : Flow.last(result);
  };

const pairwise = (apply: (x: Value, y: Value) => Value): BuildLayer =>
  combining((values) => values.reduce((total, value) => apply(total, value)));

/** Index of each axis of an image with channels first, by its index with channels last. */
const CHANNELS_FIRST = [0, 2, 3, 1];

const concatenate: BuildLayer = (context) => {
  const { values, isFirst } = aligned(context);
  const rank = at(values, 0, "operand").shape.length;
  const [setting = -1] = context.config.integers("axis", [-1]);
  const axis = wrapAxis(setting, rank);
  if (axis < 1 || axis >= rank) throw context.config.malformed("axis", `within 1 and ${rank - 1}`, setting);
  const result = concat(values, isFirst ? at(CHANNELS_FIRST, axis, "axis") : axis);
  return isFirst ? Flow.first(result) : Flow.last(result);
};

/** Layers of several operands. */
export const MERGE_LAYERS: Readonly<Record<string, BuildLayer>> = {
  Add: combining(sum),
  Subtract: pairwise(sub),
  Multiply: pairwise(mul),
  Average: combining((values) => div(sum(values), values.length)),
  Maximum: pairwise(max),
  Minimum: pairwise(min),
  Concatenate: concatenate,
};
