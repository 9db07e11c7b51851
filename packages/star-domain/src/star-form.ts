import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import type { StarResult } from "./star-result.ts";

const whole = count(0);

const pairs = z.looseObject({
  pairs: z.array(z.looseObject({ a: text, b: text, loss: MEASURED, error: MEASURED })),
  mean: MEASURED,
  std: MEASURED,
});
const predictor = z.looseObject({
  name: text,
  members: whole,
  accuracy: MEASURED,
  nll: MEASURED,
  ece: MEASURED,
  brier: MEASURED,
  aurocMisclassification: z.number().nullable(),
  aurocOutOfDistribution: MEASURED.optional(),
});

/** Form of the measurements of a star network, as files hold them. */
export const STAR_FORM: z.ZodType = schemaOf<StarResult>()(
  z.looseObject({
    kind: z.literal("star"),
    anchors: z.array(text),
    heldOut: z.array(text),
    barriers: z.looseObject({ regularRegular: pairs, starHeldOut: pairs, starAnchor: pairs }),
    points: whole,
    aligned: z.boolean(),
    data: text,
    examples: whole,
    predictions: z
      .looseObject({
        predictors: z.array(predictor),
        data: text,
        examples: whole,
        outOfDistribution: z.looseObject({ data: text, examples: whole }).optional(),
      })
      .optional(),
    seed: whole,
    engine: text,
    ...LOSS_FORM,
  }),
);
