import { LOSS_FORM } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import { type CurvatureHistory, TRAINING_UNITS } from "../track-curvature.ts";
import { HESSIAN_POINT } from "./hessian-point-form.ts";

const whole = count(0);

/** Form of the curvature along a training, as files hold it. */
export const CURVATURE_HISTORY_FORM: z.ZodType = schemaOf<CurvatureHistory>()(
  z.looseObject({
    kind: z.literal("curvature-history"),
    points: z.array(
      z.looseObject({
        at: whole,
        ...HESSIAN_POINT,
      }),
    ),
    unit: z.enum(TRAINING_UNITS),
    every: whole,
    examples: whole,
    data: text,
    seed: whole,
    engine: text,
    ...LOSS_FORM,
  }),
);
