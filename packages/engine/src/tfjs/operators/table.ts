import type { TfjsOperator } from "../operator.ts";
import { ACTIVATION } from "./activation.ts";
import { CONVOLUTION } from "./convolution.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { GATHER } from "./gather.ts";
import { LAYOUT } from "./layout.ts";
import { LINEAR } from "./linear.ts";
import { LOGIC } from "./logic.ts";
import { NORMALIZATION } from "./normalization.ts";
import { POOLING } from "./pooling.ts";
import { RECURRENCE } from "./recurrence.ts";
import { REDUCTION } from "./reduction.ts";
import { SHAPE } from "./shape.ts";

/** Every operator that TensorFlow.js computes, by its name in ONNX. */
export const TFJS_OPERATORS: ReadonlyMap<string, TfjsOperator> = new Map(
  [
    ELEMENTWISE,
    LOGIC,
    ACTIVATION,
    REDUCTION,
    LAYOUT,
    GATHER,
    LINEAR,
    CONVOLUTION,
    POOLING,
    NORMALIZATION,
    RECURRENCE,
    SHAPE,
  ].flatMap((family) => Object.entries(family)),
);
