import { dropout } from "../../builder/operators/dropout.ts";
import { concat, reshape, transpose } from "../../builder/operators/layout.ts";
import { Flow } from "../flow.ts";
import { type BuildLayer, onlyImage, onlyInput } from "../layer-context.ts";

const reshapeLayer: BuildLayer = (context) => {
  const { config } = context;
  const target = config.value("target_shape");
  // TensorFlow.js writes null, and Keras -1, for the extent that follows from the others.
  const list = Array.isArray(target) ? target.map((extent: unknown) => extent ?? -1) : target;
  const shape = config.with("target_shape", list).integers("target_shape");
  return Flow.last(reshape(onlyInput(context).last(), [0, ...shape]));
};

/** Reorders axes, counted from 1 as the batch stays the first axis. */
const permute: BuildLayer = (context) => {
  const { config } = context;
  const x = onlyInput(context).last();
  const order = config.integers("dims");
  const isOrder =
    order.length === x.shape.length - 1 && order.toSorted((a, b) => a - b).every((axis, i) => axis === i + 1);
  if (!isOrder) throw config.malformed("dims", "an order of the axes from 1", order);
  return Flow.last(transpose(x, [0, ...order]));
};

/** Maximum factor by which images grow, so that a small file cannot request much memory. */
const MAX_FACTOR = 64;

/**
 * Repeats every element, by copies one after another along new axes behind height and width, so
 * that the graph takes any batch.
 */
const upSampling: BuildLayer = (context) => {
  const { config } = context;
  const method = config.text("interpolation", "nearest");
  config.assert("interpolation", method === "nearest", "nearest");
  const [rows, columns] = config.pair("size", { least: 1, fallback: [2, 2] });
  config.assert("size", Math.max(rows, columns) <= MAX_FACTOR, `at most ${MAX_FACTOR}`);
  const x = onlyImage(context).first();
  const [, channels = 0, height = 0, width = 0] = x.shape;
  const apart = reshape(x, [0, channels, height, 1, width, 1]);
  const tall = concat(Array<typeof x>(rows).fill(apart), 3);
  const wide = concat(Array<typeof x>(columns).fill(tall), 5);
  return Flow.first(reshape(wide, [0, channels, height * rows, width * columns]));
};

const drop: BuildLayer = (context) => {
  const { config } = context;
  const rate = config.number("rate", 0.5);
  if (rate < 0 || rate >= 1) throw config.malformed("rate", "in [0, 1)", rate);
  return onlyInput(context).map((x) => dropout(x, rate));
};

/** Returns the operand unchanged, for layers that only add noise in training. */
const nothing: BuildLayer = (context) => onlyInput(context);

/** Layers that move elements, and layers without effect in inference. */
export const LAYOUT_LAYERS: Readonly<Record<string, BuildLayer>> = {
  Flatten: (context) => Flow.last(reshape(onlyInput(context).last(), [0, -1])),
  Reshape: reshapeLayer,
  Permute: permute,
  UpSampling2D: upSampling,
  Dropout: drop,
  GaussianNoise: nothing,
  GaussianDropout: nothing,
  ActivityRegularization: nothing,
};
