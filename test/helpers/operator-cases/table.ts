import { ACTIVATION } from "./activation.ts";
import type { OperatorCase } from "./draw.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { GATHER } from "./gather.ts";
import { LAYOUT } from "./layout.ts";
import { LINEAR } from "./linear.ts";
import { NORMALIZATION } from "./normalization.ts";
import { RECURRENT } from "./recurrent.ts";
import { REDUCTION } from "./reduction.ts";
import { SHAPE } from "./shape.ts";

/** Operators with random operands and attributes, all that both engines compute. */
export const OPERATOR_CASES: readonly OperatorCase[] = [
  ...ELEMENTWISE,
  ...ACTIVATION,
  ...REDUCTION,
  ...LAYOUT,
  ...GATHER,
  ...LINEAR,
  ...NORMALIZATION,
  ...SHAPE,
  ...RECURRENT,
];
