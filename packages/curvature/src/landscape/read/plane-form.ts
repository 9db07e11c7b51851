import type { PlaneResult } from "@isthmus/barrier";
import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import { NORM_POLICIES } from "@isthmus/statistics";
import * as z from "zod";

/** Form of the loss on a plane through networks. */
export const PLANE_FORM: z.ZodType = schemaOf<PlaneResult>()(
  z.looseObject({
    kind: z.literal("plane"),
    xs: z.array(z.number()),
    ys: z.array(z.number()),
    loss: z.array(z.array(MEASURED)),
    error: z.array(z.array(MEASURED)),
    models: z.array(
      z.looseObject({
        label: text,
        source: text,
        x: z.number(),
        y: z.number(),
        distance: MEASURED,
        loss: MEASURED,
        error: MEASURED,
      }),
    ),
    paths: z.array(z.looseObject({ label: text, points: z.array(z.tuple([z.number(), z.number()])) })),
    statistics: z.enum(NORM_POLICIES),
    examples: count(0),
    data: text,
    engine: text,
    ...LOSS_FORM,
  }),
);
