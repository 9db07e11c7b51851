import { batch, repeats, seed } from "@isthmus/forms";
import { DIMENSION_SEARCH_FIELDS } from "@isthmus/subspace";
import { OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import { z } from "zod";
import { shapeOfFields } from "./zod-of-form.ts";

/** What entries and tasks say of a search for a subspace: its options, and how networks are trained in it. */
export const DIMENSION_SHAPE: z.ZodRawShape = {
  ...shapeOfFields(DIMENSION_SEARCH_FIELDS),
  seeds: z.array(seed).min(1).optional(),
  epochs: repeats(1).optional(),
  batch: batch.optional(),
  optimizer: OPTIMIZER.optional(),
  schedule: SCHEDULE.optional(),
  baselineSchedule: SCHEDULE.optional(),
};
