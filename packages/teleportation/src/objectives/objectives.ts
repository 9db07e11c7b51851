import { GRADIENT_NORM } from "./gradient-norm.ts";
import type { ObjectiveKind } from "./objective.ts";
import { QUANTIZATION, QUANTIZED_LOSS } from "./quantized.ts";
import { SHARPNESS } from "./sharpness.ts";
import { WEIGHT_NORM } from "./weight-norm.ts";

/** Names of the objectives of teleports. */
export const OBJECTIVES = ["quantization", "quantized-loss", "gradient-norm", "sharpness", "norm"] as const;

/** One of {@link OBJECTIVES}. */
export type Objective = (typeof OBJECTIVES)[number];

/** The objectives of teleports by their names. */
export const OBJECTIVE_KINDS: Readonly<Record<Objective, ObjectiveKind>> = {
  quantization: QUANTIZATION,
  "quantized-loss": QUANTIZED_LOSS,
  "gradient-norm": GRADIENT_NORM,
  sharpness: SHARPNESS,
  norm: WEIGHT_NORM,
};
