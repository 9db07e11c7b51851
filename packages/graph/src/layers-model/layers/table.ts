import type { BuildLayer } from "../layer-context.ts";
import { ACTIVATION_LAYERS } from "./activation.ts";
import { CONVOLUTION_LAYERS } from "./convolution.ts";
import { DENSE_LAYERS } from "./dense.ts";
import { LAYOUT_LAYERS } from "./layout.ts";
import { MERGE_LAYERS } from "./merge.ts";
import { NORMALIZATION_LAYERS } from "./normalization.ts";
import { POOLING_LAYERS } from "./pooling.ts";

/** All supported layers, by their class in Keras and TensorFlow.js, except input layers. */
export const LAYERS: ReadonlyMap<string, BuildLayer> = new Map(
  [
    DENSE_LAYERS,
    CONVOLUTION_LAYERS,
    POOLING_LAYERS,
    NORMALIZATION_LAYERS,
    ACTIVATION_LAYERS,
    LAYOUT_LAYERS,
    MERGE_LAYERS,
  ].flatMap((family) => Object.entries(family)),
);
