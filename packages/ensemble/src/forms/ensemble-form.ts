import { MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import type { EnsembleResult } from "../ensemble-result.ts";

const whole = count(0);
const named = { data: text, examples: whole };
const quality = {
  accuracy: MEASURED,
  nll: MEASURED,
  ece: MEASURED,
  brier: MEASURED,
  aurocMisclassification: z.number().nullable(),
  aurocOthers: z.array(MEASURED),
};

/** Form of the comparison of ways to predict by several networks, as files hold it. */
export const ENSEMBLE_FORM: z.ZodType = schemaOf<EnsembleResult>()(
  z.looseObject({
    kind: z.literal("ensemble"),
    predictors: z
      .array(
        z.looseObject({
          name: text,
          members: whole,
          ...quality,
          reliability: z.array(
            z.looseObject({ examples: whole, confidence: z.number(), accuracy: z.number() }),
          ),
        }),
      )
      .min(1),
    networks: z.array(z.looseObject({ network: text, ...quality })).min(1),
    greedy: z
      .looseObject({
        chosen: z.array(
          z.looseObject({ network: text, nll: MEASURED, likeness: MEASURED, ensembleNll: MEASURED }),
        ),
        members: whole,
        diversity: z.number(),
        ...named,
      })
      .optional(),
    others: z.array(z.looseObject(named)),
    recalibrated: z.boolean(),
    ...named,
    engine: text,
  }),
);
