import { TRAINING_UNITS } from "@isthmus/curvature";
import { HESSIAN_POINT } from "@isthmus/curvature/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import { z } from "zod";
import { provenance, type ResultOf } from "./provenance.ts";

const whole = count(0);

/** Form of the curvature along a training. */
export const CURVATURE_HISTORY_SCHEMA: z.ZodType = schemaOf<ResultOf<"curvature-history">>()(
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
    provenance,
  }),
);
