import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import type { ComparedBarrierResult } from "../compared-barrier.ts";
import { BARRIERS, COUNT, DEFINITIONS, MEASURES, PAIR_ORIGIN, POINT } from "./form-parts.ts";

const range = z.looseObject({ low: MEASURED, high: MEASURED });

const tempered = z.looseObject({
  points: z.array(
    z.looseObject({
      t: z.number(),
      temperature: MEASURED,
      loss: MEASURED,
      perplexity: MEASURED.optional(),
    }),
  ),
  barrier: DEFINITIONS,
  interval: range.optional(),
  data: text,
  examples: COUNT,
});

const barrier = z.looseObject({
  kind: z.literal("barrier"),
  points: z.array(POINT),
  barrier: BARRIERS,
  interval: z
    .looseObject({ level: z.number(), resamples: COUNT, seed: COUNT, loss: range, error: range })
    .optional(),
  tempered: tempered.optional(),
  path: z.enum(["linear", "spherical"]),
  ...PAIR_ORIGIN,
  ...LOSS_FORM,
});

const ofEnds = z.looseObject({ a: MEASURES, b: MEASURES });
const decomposition = z.looseObject({
  kind: z.literal("decomposition"),
  ends: ofEnds,
  midpoint: MEASURES,
  excess: MEASURES,
  parts: z.array(
    z.looseObject({ part: text, tensors: z.array(text), elements: COUNT, averaged: ofEnds, putBack: ofEnds }),
  ),
  byExample: z.looseObject({
    rising: MEASURED,
    rise: MEASURED,
    fall: MEASURED,
    half: MEASURED,
    quantiles: z.array(z.looseObject({ quantile: z.number(), excess: MEASURED })),
    top: z.array(z.looseObject({ share: z.number(), examples: COUNT, excess: MEASURED, ofExcess: MEASURED })),
    cumulative: z.array(z.looseObject({ share: z.number(), excess: MEASURED })),
    worst: z.array(
      z.looseObject({ index: COUNT, a: MEASURED, b: MEASURED, midpoint: MEASURED, excess: MEASURED }),
    ),
  }),
  tempered: z.looseObject({ data: text, examples: COUNT }).optional(),
  ...PAIR_ORIGIN,
  ...LOSS_FORM,
});

/**
 * Form of the result of `isthmus barrier`; results of earlier versions have the name `asTrained` for the
 * field `asGiven`.
 */
export const BARRIER_FORM: z.ZodType = schemaOf<ComparedBarrierResult>()(
  barrier
    .extend({
      asGiven: barrier.optional(),
      asTrained: barrier.optional(),
      decomposition: decomposition.optional(),
      alignment: z.looseObject({}).optional(),
    })
    .transform(({ asTrained, ...result }) => (asTrained ? { ...result, asGiven: asTrained } : result)),
);
