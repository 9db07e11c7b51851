import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import { NORM_POLICIES } from "@isthmus/statistics";
import { z } from "zod";
import { UNIT_CHOICES } from "./choose-units.ts";
import type { DropoutStabilityResult } from "./dropout-result.ts";
import { RESCALINGS } from "./fit-factor.ts";

const whole = count(0);
const step = z.looseObject({ from: text, units: whole, factor: z.number(), loss: MEASURED, error: MEASURED });

/** Form of the dropout stability of a network, as files hold it. */
export const DROPOUT_STABILITY_FORM: z.ZodType = schemaOf<DropoutStabilityResult>()(
  z.looseObject({
    kind: z.literal("dropout-stability"),
    ...LOSS_FORM,
    loss: MEASURED,
    error: MEASURED,
    layers: z.array(z.looseObject({ name: text, units: whole })),
    left: z.record(text, text),
    shares: z.array(
      z.looseObject({
        share: z.number(),
        trials: z.array(z.looseObject({ steps: z.array(step), rise: MEASURED })).min(1),
        rise: z.looseObject({ mean: MEASURED, min: MEASURED, max: MEASURED }),
      }),
    ),
    choice: z.enum(UNIT_CHOICES),
    rescale: z.enum(RESCALINGS),
    statistics: z.enum(NORM_POLICIES),
    examples: whole,
    data: text,
    network: text,
    seed: whole,
    engine: text,
  }),
);
