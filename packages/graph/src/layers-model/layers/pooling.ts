import type { Value } from "../../builder/graph-builder.ts";
import { reshape } from "../../builder/operators/layout.ts";
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from "../../builder/operators/pool.ts";
import { Flow } from "../flow.ts";
import { type BuildLayer, onlyImage } from "../layer-context.ts";
import { padsOf } from "./window.ts";

const pooling =
  (pool: typeof maxPool): BuildLayer =>
  (context) => {
    const { config } = context;
    const image = onlyImage(context);
    const taps = config.pair("pool_size", { least: 1, fallback: [2, 2] });
    const strides = config.pair("strides", { least: 1, fallback: taps });
    const [, height = 0, width = 0] = image.shape;
    const pads = padsOf(config, [height, width], { taps, strides, dilations: [1, 1] });
    return Flow.first(pool(image.first(), taps, { strides, pads }));
  };

const global =
  (pool: (x: Value) => Value): BuildLayer =>
  (context) => {
    const pooled = Flow.first(pool(onlyImage(context).first()));
    const keepDims = context.config.boolean("keepdims", false);
    return keepDims ? pooled : Flow.last(reshape(pooled.first(), [0, -1]));
  };

/** Poolings. */
export const POOLING_LAYERS: Readonly<Record<string, BuildLayer>> = {
  MaxPooling2D: pooling(maxPool),
  AveragePooling2D: pooling(averagePool),
  GlobalAveragePooling2D: global(globalAveragePool),
  GlobalMaxPooling2D: global(globalMaxPool),
};
