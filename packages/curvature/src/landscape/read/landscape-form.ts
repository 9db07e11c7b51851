import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { schemaOf } from "@isthmus/forms";
import * as z from "zod";
import { LANDSCAPE_KINDS, NORMALIZATIONS, VECTOR_POLICIES } from "../landscape-options.ts";
import type { LandscapeResult } from "../landscape-result.ts";

const count = z.int().min(0);
const text = z.string();
const numbers = z.array(z.number());
const definitions = z.looseObject({
  chord: MEASURED,
  meanOfEndpoints: MEASURED,
  maxEndpoint: MEASURED,
  midpoint: MEASURED,
  at: MEASURED,
});

/** Form of the loss on a grid around a network. */
export const LANDSCAPE_FORM: z.ZodType = schemaOf<LandscapeResult>()(
  z.looseObject({
    kind: z.literal("landscape"),
    ...LOSS_FORM,
    directions: z.enum(LANDSCAPE_KINDS),
    normalization: z.enum(NORMALIZATIONS),
    vectors: z.enum(VECTOR_POLICIES),
    basis: z.array(
      z.looseObject({
        label: text,
        length: z.number(),
        eigenvalue: z.number().optional(),
        residual: z.number().optional(),
        explained: z.number().optional(),
        slope: z.number().optional(),
        curvature: z.number().optional(),
      }),
    ),
    cosines: z.array(numbers),
    axes: z.array(numbers),
    loss: z.array(MEASURED),
    error: z.array(MEASURED),
    networks: z.array(
      z.looseObject({
        label: text,
        source: text,
        place: numbers,
        distance: MEASURED,
        loss: MEASURED,
        error: MEASURED,
      }),
    ),
    topology: z.looseObject({
      shape: z.array(count),
      minima: z.array(
        z.looseObject({
          index: count,
          value: z.number(),
          onEdge: z.literal(true).optional(),
          saddle: count.optional(),
          merge: count.optional(),
          persistence: z.number(),
          basin: count,
        }),
      ),
      saddles: z.array(z.looseObject({ index: count, value: z.number(), parent: count.optional() })),
      range: z.number(),
      missing: count,
      saddleMinimumDistance: z.looseObject({
        mean: z.number(),
        normalized: z.number(),
        weighted: z.number(),
      }),
    }),
    interpolation: z
      .looseObject({
        monotone: z.boolean(),
        largestRise: MEASURED,
        from: z.number(),
        to: z.number(),
        barrier: z.looseObject({ loss: definitions, error: definitions }),
      })
      .optional(),
    derivatives: z.enum(["exact", "finite-differences"]).optional(),
    reason: text.optional(),
    converged: z.boolean().optional(),
    hessianExamples: count.optional(),
    seed: count,
    statistics: z.enum(["keep", "recalibrate"]),
    examples: count,
    data: text,
    engine: text,
  }),
);
