import { sizeOf } from "@isthmus/core";
import type { Value } from "../../builder/graph-builder.ts";
import { transpose } from "../../builder/operators/layout.ts";
import { batchNorm, layerNorm } from "../../builder/operators/normalize.ts";
import { wrapAxis } from "../../ir/attributes.ts";
import { Flow } from "../flow.ts";
import { type BuildLayer, type LayerContext, onlyInput } from "../layer-context.ts";

/** Returns a weight of a layer, or a constant if the settings say that the layer has no such weight. */
function weightOr(
  { config, builder, weight }: LayerContext,
  [has, name]: readonly [string, string],
  shape: readonly number[],
  value: number,
): Value {
  if (config.boolean(has, true)) return weight(name, shape);
  const length = sizeOf(shape);
  return builder.numbers(new Float32Array(length).fill(value), "f32", shape);
}

const batchNormalization: BuildLayer = (context) => {
  const { config, weight } = context;
  const input = onlyInput(context);
  const rank = input.shape.length;
  const [axis = -1] = config.integers("axis", [-1]);
  config.assert("axis", wrapAxis(axis, rank) === rank - 1, "the last");
  const channels = input.shape.slice(-1);
  const weights = {
    scale: weightOr(context, ["scale", "gamma"], channels, 1),
    bias: weightOr(context, ["center", "beta"], channels, 0),
    mean: weight("moving_mean", channels, "statistic"),
    variance: weight("moving_variance", channels, "statistic"),
  };
  const epsilon = config.number("epsilon", 1e-3);
  if (rank === 4) return Flow.first(batchNorm(input.first(), weights, epsilon));
  if (rank === 2) return Flow.last(batchNorm(input.last(), weights, epsilon));
  config.assert("input", rank === 3, "of two to four axes");
  const swapped = batchNorm(transpose(input.last(), [0, 2, 1]), weights, epsilon);
  return Flow.last(transpose(swapped, [0, 2, 1]));
};

const layerNormalization: BuildLayer = (context) => {
  const { config } = context;
  const x = onlyInput(context).last();
  const rank = x.shape.length;
  const axes = config
    .integers("axis", [-1])
    .map((axis) => wrapAxis(axis, rank))
    .sort((a, b) => a - b);
  const [first = rank - 1] = axes;
  config.assert(
    "axis",
    axes.every((axis, i) => axis === first + i) && axes.at(-1) === rank - 1,
    "the last ones",
  );
  const shape = x.shape.slice(first);
  const scale = weightOr(context, ["scale", "gamma"], shape, 1);
  const bias = weightOr(context, ["center", "beta"], shape, 0);
  return Flow.last(layerNorm(x, { scale, bias }, { axis: first, epsilon: config.number("epsilon", 1e-3) }));
};

/** Norms. */
export const NORMALIZATION_LAYERS: Readonly<Record<string, BuildLayer>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
};
