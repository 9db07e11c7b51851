import { PAIR_LAYOUTS } from "@isthmus/data";
import { count, type FieldsOf, fieldsOf, positive, repeats } from "@isthmus/forms";
import { z } from "zod";
import type { ParetoChoice } from "../description/pareto-measurement.ts";

/** Most networks along an edge of a front. */
const MOST_POINTS = 1000;

/** Fields of {@link ParetoChoice}. */
export const PARETO_FIELDS: FieldsOf<ParetoChoice> = fieldsOf<ParetoChoice>()({
  concentration: positive.optional(),
  points: count(2, MOST_POINTS).optional(),
  scalarised: count(0, MOST_POINTS)
    .refine((networks) => networks !== 1, { message: "must be 0 for none, or at least 2" })
    .optional(),
  scalarisedEpochs: repeats(1).optional(),
});

/** How two images become one. */
export const LAYOUT: z.ZodEnum<{ readonly [L in (typeof PAIR_LAYOUTS)[number]]: L }> = z.enum(PAIR_LAYOUTS);
